"""Names in the order in which people count."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from runcase.model.naming_order import counted, counted_of


def test_numbers_in_names_are_counted() -> None:
    names = ["10_test.txt", "2_build.txt", "1_setup.txt", "job 10/1_x", "job 9/12_x", "job 9/2_x"]
    assert sorted(names, key=counted) == [names[2], names[1], names[0], names[5], names[4], names[3]]


@given(st.lists(st.text("a0123456789/_é²٣", max_size=40)))
def test_the_expression_says_what_the_function_says(names: list[str]) -> None:
    frame = pl.DataFrame({"name": names}, schema={"name": pl.String()})
    assert frame.select(counted_of(pl.col("name"))).to_series().to_list() == [counted(n)[0] for n in names]
