"""Which reader takes a source: the one with the strongest claim."""

from __future__ import annotations

from runcase.intake.readers.airflow import Airflow
from runcase.intake.readers.azure import Azure
from runcase.intake.readers.base import Reader, Sniff, Taken
from runcase.intake.readers.bazel_bep import BazelBep
from runcase.intake.readers.buildkite import Buildkite
from runcase.intake.readers.codebuild import CodeBuild
from runcase.intake.readers.condor import CondorEvents
from runcase.intake.readers.cwlprov import CwlProv
from runcase.intake.readers.cwltool import Cwltool
from runcase.intake.readers.dagster import Dagster
from runcase.intake.readers.github_actions import GitHubActions
from runcase.intake.readers.github_api import GitHubApi
from runcase.intake.readers.github_cli import GitHubCli
from runcase.intake.readers.gitlab import GitLab
from runcase.intake.readers.jaeger import Jaeger, Zipkin
from runcase.intake.readers.jenkins import Jenkins
from runcase.intake.readers.journald import Journald
from runcase.intake.readers.junit import JUnit
from runcase.intake.readers.kubernetes import Argo, Kubernetes
from runcase.intake.readers.kubernetes_logs import ContainerLog
from runcase.intake.readers.manifest import Manifest
from runcase.intake.readers.nextflow import NextflowHistory, NextflowLog, NextflowTrace
from runcase.intake.readers.nextflow_lineage import NextflowLineage
from runcase.intake.readers.openlineage import OpenLineage
from runcase.intake.readers.otlp import Otlp
from runcase.intake.readers.pegasus import Braindump, Dag, JobState
from runcase.intake.readers.pegasus_files import DagmanLog, Kickstart, PegasusNotes
from runcase.intake.readers.prow import Prow
from runcase.intake.readers.rocrate import RoCrate
from runcase.intake.readers.run_record import RunRecord
from runcase.intake.readers.slurm import Sacct
from runcase.intake.readers.snakemake import Snakemake
from runcase.intake.readers.snakemake_metadata import SnakemakeMetadata
from runcase.intake.readers.sosreport import SosLog, SosManifest
from runcase.intake.readers.spark import Spark
from runcase.intake.readers.stepfunctions import StepFunctions
from runcase.intake.readers.teamcity import TeamCity
from runcase.intake.readers.temporal import Temporal
from runcase.intake.readers.travis import Travis
from runcase.intake.readers.zuul import Zuul
from runcase.intake.readers.zuul_json import ZuulManifest, ZuulOutput

READERS: tuple[Reader, ...] = (
    Azure(),
    Buildkite(),
    GitLab(),
    Jenkins(),
    TeamCity(),
    CodeBuild(),
    BazelBep(),
    Braindump(),
    Dag(),
    JobState(),
    DagmanLog(),
    Kickstart(),
    PegasusNotes(),
    OpenLineage(),
    Otlp(),
    NextflowHistory(),
    NextflowLog(),
    NextflowTrace(),
    Snakemake(),
    Airflow(),
    Sacct(),
    Jaeger(),
    Zipkin(),
    GitHubActions(),
    GitHubApi(),
    GitHubCli(),
    JUnit(),
    StepFunctions(),
    Temporal(),
    Travis(),
    Journald(),
    Prow(),
    Zuul(),
    ZuulOutput(),
    ZuulManifest(),
    SosLog(),
    SosManifest(),
    Kubernetes(),
    Argo(),
    ContainerLog(),
    CondorEvents(),
    CwlProv(),
    Cwltool(),
    Dagster(),
    NextflowLineage(),
    RoCrate(),
    SnakemakeMetadata(),
    Spark(),
    RunRecord(),
    Manifest(),
)
"""All readers; a new producer is one new file and one entry here."""


def claims(sniff: Sniff) -> list[tuple[Reader, Taken]]:
    """Every reader that recognises the source, the highest score first, ties by name."""
    found = [(reader, taken) for reader in READERS if (taken := reader.recognises(sniff))]
    return sorted(found, key=lambda claim: (-claim[1].score, claim[0].name))


def choose(sniff: Sniff) -> tuple[Reader, Taken] | None:
    """The strongest claim; None when no reader recognises the source."""
    return next(iter(claims(sniff)), None)
