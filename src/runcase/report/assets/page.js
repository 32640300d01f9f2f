"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  // --- copy of a ref -----------------------------------------------------------------------------
  const copied = make("p", "visually-hidden");
  copied.setAttribute("role", "status");
  document.body.append(copied);

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = make("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    copied.textContent = "Copied " + text;
  }

  function copyButton(text) {
    const button = make("button", "copy-button", "copy");
    button.type = "button";
    button.setAttribute("aria-label", "Copy " + text);
    button.addEventListener("click", async () => {
      await copy(text);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
    return button;
  }
  for (const node of document.querySelectorAll("code.copy")) node.after(copyButton(node.textContent));

  // --- a target inside a closed disclosure -------------------------------------------------------
  function reveal(target) {
    for (let node = target.parentElement; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView({ block: "center" });
  }

  // --- events ------------------------------------------------------------------------------------
  const ROW = 26, EXTRA = 12;
  let table = null, shown = [], active = -1;

  async function unpacked(node) {
    const bytes = Uint8Array.from(atob(node.textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const found = JSON.parse(await new Response(stream).text());
    for (const name of ["ts", "kind", "stage", "level", "source", "line", "start", "len"]) {
      // a column that says the same everywhere says it once
      if (found[name].length < found.rows) found[name] = new Array(found.rows).fill(found[name][0]);
    }
    let end = 0;
    found.start = found.start.map((gap, i) => { const at = end + gap; end = at + found.len[i]; return at; });
    return { ...found, ts: summed(found.ts), line: summed(found.line), lower: found.text.map((t) => t.toLowerCase()) };
  }

  function summed(steps) {
    let last = 0;
    return steps.map((s) => (s === null ? null : (last += s)));
  }

  const clock = (us) => (us === null ? "" : new Date(us / 1000).toISOString().slice(11, 23));
  const full = (us) => us === null ? "no time" :
    new Date(Math.floor(us / 1e6) * 1000).toISOString().slice(0, 19) + "." + String(((us % 1e6) + 1e6) % 1e6).padStart(6, "0") + "Z";
  const refOf = (i) => table.sources[table.source[i]][0] + ":" + table.start[i] + "+" + table.len[i];
  const idOf = (i) => "evt_" + table.sources[table.source[i]][0] + "_" + table.start[i];
  const place = (i) => {
    const [id, path] = table.sources[table.source[i]];
    return (path ? path.split("/").pop() : id) + (table.line[i] === null ? "" : ":" + table.line[i]);
  };

  function options(id, names, column) {
    const counts = new Array(names.length).fill(0);
    for (const at of column) if (at >= 0) counts[at]++;
    names.forEach((name, at) => {
      const option = make("option", "", name + " (" + counts[at].toLocaleString("en") + ")");
      option.value = String(at);
      $(id).append(option);
    });
  }

  function filter() {
    const pick = ["kind", "stage", "level", "source"].map((n) => [table[n], $("filter-" + n).value])
      .filter(([, v]) => v !== "").map(([c, v]) => [c, Number(v)]);
    const words = $("filter-text").value.toLowerCase();
    const found = [];
    for (let i = 0; i < table.text.length; i++) {
      if (pick.every(([column, value]) => column[i] === value) && (!words || table.lower[i].includes(words))) found.push(i);
    }
    shown = found;
    active = Math.min(active, shown.length - 1);
    $("ledger-count").textContent = found.length.toLocaleString("en") + " of " + table.text.length.toLocaleString("en") + " events";
    $("ledger-table").setAttribute("aria-rowcount", String(found.length + 1));
    draw();
    detail();
  }

  function spacer(rows) {
    const row = make("tr", "spacer");
    row.setAttribute("aria-hidden", "true");
    const cell = make("td");
    cell.colSpan = 6;
    cell.style.height = rows * ROW + "px";
    row.append(cell);
    return row;
  }

  function rowOf(n) {
    const i = shown[n];
    const level = table.level[i] < 0 ? "" : table.levels[table.level[i]];
    const row = make("tr", n === active ? "active" : "");
    row.id = "row-" + n;
    row.dataset.n = n;
    row.setAttribute("aria-rowindex", String(n + 2));
    row.setAttribute("aria-selected", String(n === active));
    const marked = ["error", "fatal", "warning"].includes(level) ? "level level-" + level : "";
    const stage = table.stage[i] < 0 ? "" : table.stages[table.stage[i]];
    [["", clock(table.ts[i])], ["", table.kinds[table.kind[i]]], ["", stage], [marked, level], ["text", table.text[i]], ["", place(i)]]
      .forEach(([name, text]) => row.append(make("td", name, text)));
    return row;
  }

  function draw() {
    const view = $("ledger-view");
    const first = Math.max(0, Math.floor(view.scrollTop / ROW) - EXTRA);
    const last = Math.min(shown.length, first + Math.ceil(Math.max(view.clientHeight, 420) / ROW) + 2 * EXTRA);
    const rows = [spacer(first)];
    for (let n = first; n < last; n++) rows.push(rowOf(n));
    rows.push(spacer(shown.length - last));
    $("ledger-rows").replaceChildren(...rows);
    const here = active >= first && active < last;
    if (here) $("ledger-table").setAttribute("aria-activedescendant", "row-" + active);
    else $("ledger-table").removeAttribute("aria-activedescendant");
  }

  function detail() {
    const box = $("ledger-detail");
    box.replaceChildren();
    if (active < 0 || active >= shown.length) return;
    const i = shown[active];
    const [id, path] = table.sources[table.source[i]];
    box.append(make("p", "detail-text", table.text[i]));
    const line = table.line[i] === null ? "" : ", line " + table.line[i].toLocaleString("en");
    box.append(make("p", "detail-place", full(table.ts[i]) + " · " + (path || id) + line));
    const ref = make("p", "detail-ref");
    ref.append(make("code", "", refOf(i)), copyButton(refOf(i)));
    box.append(ref);
  }

  function select(n) {
    if (!shown.length) return;
    active = Math.max(0, Math.min(shown.length - 1, n));
    const view = $("ledger-view");
    const head = 28, top = active * ROW;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + ROW + head > view.scrollTop + view.clientHeight) view.scrollTop = top + ROW + head - view.clientHeight;
    draw();
    detail();
    history.replaceState(null, "", "#" + idOf(shown[active]));
  }

  function keys(event) {
    const page = Math.max(1, Math.floor($("ledger-view").clientHeight / ROW) - 2);
    const moves = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: shown.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      select(moves[event.key]);
    } else if (event.key === "Enter" && active >= 0) {
      copy(refOf(shown[active]));
    }
  }

  /** Goes to an event that a link names; false when the page does not carry it. */
  function follow(hash) {
    const m = /^#evt_([0-9a-f]{12})_([0-9]+)$/.exec(hash);
    if (!m || !table) return false;
    const source = table.sources.findIndex(([id]) => id === m[1]);
    const i = table.start.findIndex((at, n) => at === Number(m[2]) && table.source[n] === source);
    if (source < 0 || i < 0) return false;
    for (const field of $("ledger").querySelectorAll("select, input")) field.value = "";
    filter();
    $("ledger-view").scrollIntoView({ block: "center" });
    select(shown.indexOf(i));
    return true;
  }

  function go() {
    if (!location.hash || follow(location.hash)) return;
    const target = $(decodeURIComponent(location.hash.slice(1)));
    if (target) reveal(target);
  }

  async function start() {
    const data = $("ledger-data");
    if (data && "DecompressionStream" in window) {
      table = await unpacked(data);
      options("filter-kind", table.kinds, table.kind);
      options("filter-stage", table.stages, table.stage);
      options("filter-level", table.levels, table.level);
      options("filter-source", table.sources.map(([id, path]) => path || id), table.source);
      $("ledger").hidden = false;
      for (const field of $("ledger").querySelectorAll("select, input")) field.addEventListener("input", () => { $("ledger-view").scrollTop = 0; filter(); });
      $("ledger-view").addEventListener("scroll", draw, { passive: true });
      $("ledger-table").addEventListener("keydown", keys);
      $("ledger-rows").addEventListener("click", (event) => {
        const row = event.target.closest("tr[data-n]");
        if (row) select(Number(row.dataset.n));
      });
      window.addEventListener("resize", draw);
      filter();
    }
    document.documentElement.dataset.ready = "";
    go();
    window.addEventListener("hashchange", go);
  }
  start();
})();
