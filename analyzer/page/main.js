// SPDX-License-Identifier: MIT
// The page: what is looked at, and its parts brought together.
const comparing = report.traces.length === 2;
const looked = {metric: METRICS[0], moment: report.shown, base: report.base, inverted: false, query: '', mark: null};
let icicle, table, timeline;

// --- the head

function writeHead() {
  const trace = report.traces[report.traces.length - 1];
  const facts = (one) => [one.state, `pid ${one.pid}`, `started ${one.started}`,
                          ...(one.threads > 1 ? [`${one.threads} threads`] : []),
                          ...(one.sample_bytes > 1 ? [`sampled every ${units.bytes(one.sample_bytes)}`] : [])].join(', ');
  byId('command').textContent = trace.command;
  const line = (text) => byId('facts').append(element('div', '', text));
  line(comparing ? `${trace.file}: ${facts(trace)}` : facts(trace));
  if (comparing) line(`compared with ${report.traces[0].file}: ${report.traces[0].command}, ${facts(report.traces[0])}`);
  for (const one of report.traces)
    for (const note of one.notes) byId('notes').append(element('li', '', comparing ? `${one.file}: ${note}` : note));
}

function writeFoot() {
  const {nodes, of, share, moments} = report.left_out, parts = [];
  if (nodes) {
    parts.push(`${units.count(nodes)} of ${units.count(of)} branches of the call tree are too small to be shown one by one, less than `
      + `${Number((100 * share).toPrecision(3))} % of everything at any time: they are added up as (other).`);
  }
  if (moments) parts.push(`${units.count(moments)} more snapshots are in the trace, but not in this page.`);
  parts.push('Bytes are those that the program asked for. Written by tracemalloc.');
  byId('foot').textContent = parts.join(' ');
}

// --- the figures to choose from

function writeMetrics() {
  for (const metric of METRICS) {
    const label = element('label'), input = element('input');
    input.type = 'radio';
    input.name = 'metric';
    input.value = metric.name;
    input.addEventListener('change', () => choose({metric}));
    metric.value = element('span', 'value');
    metric.more = element('span', 'more');
    label.append(input, element('span', 'name', metric.name), metric.value, metric.more);
    byId('metrics').append(label);
    metric.input = input;
  }
}

function writeFigures() {
  const {moment, base} = looked, changed = base >= 0;
  for (const metric of METRICS) {
    const value = total(metric.figure, moment, base), count = total(metric.count, moment, base);
    const [number, unit] = metric.isBytes ? units.bytesParts(Math.abs(value)) : [units.count(Math.abs(value)), ''];
    metric.input.checked = metric === looked.metric;
    metric.value.textContent = (changed && value ? (value < 0 ? '−' : '+') : '') + number;
    metric.value.dataset.figure = value;
    metric.value.className = 'value' + (changed && value ? (value > 0 ? ' grown' : ' shrunk') : '');
    if (unit) metric.value.append(element('span', 'unit', unit));
    metric.more.textContent = changed
      ? `${metric.format(report.moments[base].totals[metric.figure])} → ${metric.format(report.moments[moment].totals[metric.figure])}`
      : moreOf(metric, count);
    metric.more.title = metric.more.textContent;
  }
}

function moreOf(metric, count) {
  const totals = report.moments[looked.moment].totals;
  if (metric.name === 'allocations') return `${units.count(totals.reallocations)} by realloc`;
  if (metric.name === 'temporary') return `${units.share(totals.temporary, totals.allocations)} freed by the next heap call`;
  return `in ${metric.formatCount(count)}`;
}

// --- moments

function momentName(number) {
  const moment = report.moments[number];
  if (comparing) return `${number ? 'new' : 'old'}: ${frames.base(report.traces[number].file)}` + (moment.reason ? `, ${moment.label}` : '');
  return moment.reason ? `${moment.label}, ${units.duration(moment.ns)}` : moment.label;
}

function writeChoices() {
  const {moments} = report;
  byId('moment-choice').hidden = byId('base-choice').hidden = moments.length < 2;
  byId('time').hidden = !report.points && moments.length < 2;
  const order = moments.map((_, number) => number).sort((a, b) => moments[a].ns - moments[b].ns || b - a);
  byId('base').append(new Option('nothing', -1));
  for (const number of comparing ? [0, 1] : order) {
    byId('moment').append(new Option(momentName(number), number));
    byId('base').append(new Option(momentName(number), number));
  }
  byId('moment').addEventListener('change', (event) => choose({moment: Number(event.target.value)}));
  byId('base').addEventListener('change', (event) => choose({base: Number(event.target.value)}));
  if (comparing) byId('time-title').textContent = 'Compared';
  if (!report.points) for (const id of ['chart', 'reading', 'time-hint']) byId(id).hidden = true;
  byId('time').querySelector('.keys').hidden = !report.points;
  byId('key-resident').hidden = !report.points?.resident.some((bytes) => bytes > 0);
}

function writeHint() {
  const moments = [looked.moment, looked.base].map((number) => report.moments[number]).filter((one) => one?.reason);
  const of = moments.map((one) => `${one.label}: ${one.reason}${one.exact ? '' : '; threads went on meanwhile, it is not one instant'}.`);
  byId('time-hint').textContent = [...of, report.moments.length > 1
    ? 'Click: the nearest snapshot. Drag: what changed between the two nearest.'
    : 'There are no snapshots in this trace: the figures are those of its end.'].join(' ');
}

function startTimeline() {
  if (!report.points || !window.Dygraph) return;
  timeline = new Timeline(byId('chart'), {
    moment: (moment) => choose({moment, base: -1}),
    compare: (base, moment) => choose({base, moment}),
    read: (text) => { byId('reading').textContent = text; },
  });
  timeline.show(looked.moment, looked.base);
}

// --- the call tree

function lookAtTree() {
  const {metric, moment, base} = looked, changed = base >= 0;
  const values = column(metric.figure, moment, base), counts = column(metric.count, moment, base);
  const tree = looked.inverted ? treeOfCallers(values, counts) : treeOfCallees(values, counts);
  looked.values = values;
  looked.counts = counts;
  looked.tree = tree;
  looked.changed = changed;
  if (!colours.hueOf) {
    colours.rank(tree);
    colours.read();
  }
  icicle.show(tree, describe, changed);
  const all = byId('graph').dataset;
  all.metric = metric.name;
  all.total = tree.value[0];
  all.nodes = tree.count;
  applyMarks();
  describeNode(0);
}

const value = (node) => looked.changed ? units.signed(looked.tree.value[node], looked.metric.format)
  : looked.metric.format(looked.tree.value[node]);
const share = (node) => units.share(looked.tree.weight[node], looked.tree.weight[0]);

const rootName = () => looked.changed ? `all changes of ${looked.metric.name}` : `all, ${looked.metric.name}`;

function describe(node) {
  const frame = looked.tree.frameOf[node];
  if (node === 0) return {what: rootName(), where: '', right: value(0)};
  return {what: frames.what(frame), where: frame < 0 ? '' : frames.where(frame), right: value(node)};
}

function figuresOf(node) {
  const {tree, metric, changed} = looked, parts = [];
  const tally = changed ? units.signed(tree.tally[node], metric.formatCount) : metric.formatCount(tree.tally[node]);
  parts.push(`${value(node)}`, changed ? `${share(node)} of all changes` : share(node));
  if (metric.one) parts.push(tally);
  if (tree.own && node && tree.own[node] && tree.first[node] >= 0)
    parts.push(`itself ${changed ? units.signed(tree.own[node], metric.format) : metric.format(tree.own[node])}`);
  return parts;
}

function describeNode(node) {
  const box = byId('detail'), frame = looked.tree.frameOf[node], [first, ...rest] = figuresOf(node);
  const figures = element('span', 'figures');
  figures.append(element('b', '', first), `, ${rest.join(', ')}`);
  box.replaceChildren(element('bdi', 'what', node ? frames.whole(frame).slice(0, 600) : rootName()));
  if (node && frame >= 0) {
    if (frames.place(frame)) box.append(placeButton(frame, copyPlace));
    const module = frames.shown(frames.field(frame, 3));
    if (module) box.append(element('bdi', 'hint', module));
  }
  box.append(figures);
}

function tip(node, event) {
  const box = byId('tip');
  box.hidden = node < 0;
  if (node < 0 || !event) return;
  const frame = looked.tree.frameOf[node];
  const where = [node && frame >= 0 ? frames.place(frame) : null, frame < 0 ? null : frames.shown(frames.field(frame, 3))];
  box.replaceChildren(element('div', 'what', node ? frames.what(frame) : rootName()),
                      ...where.filter(Boolean).map((text) => element('div', 'where', text)),
                      element('div', 'figures', figuresOf(node).join(', ')));
  const {offsetWidth: w, offsetHeight: h} = box, x = event.clientX + 14, y = event.clientY + 18;
  box.style.left = `${Math.max(4, x + w > innerWidth - 8 ? event.clientX - w - 10 : x)}px`;
  box.style.top = `${Math.max(4, y + h > innerHeight - 8 ? event.clientY - h - 12 : y)}px`;
}

function writeLegend() {
  const list = byId('legend'), item = (colour, text) => {
    const made = element('li');
    made.style.setProperty('--key', colour);
    made.append(element('bdi', '', text));
    list.append(made);
  };
  list.replaceChildren();
  if (looked.changed) {
    item(colours.ofChange(1), 'grew');
    item(colours.ofChange(-1), 'shrank');
    item(colours.ofChange(0), 'both; as wide as what changed');
    return;
  }
  const {modules} = colours;
  const named = modules.slice(0, HUES.length);
  for (const module of named) item(colours.ofModule(module, 0.5), frames.base(frames.name(module)));
  if (modules.length > named.length) item(colours.ofModule(modules[named.length], 0.5), `${modules.length - named.length} more`);
  if (colours.hasSystem) item(colours.ofModule(null, 0.5), 'system');
}

// --- search and marks

// The frames whose function, place or module has the text, and which names have.
function framesWith(query) {
  if (!query) return null;
  const inName = report.names.map((name, number) =>
    name.toLowerCase().includes(query) || (report.short[number]?.toLowerCase().includes(query) ?? false));
  const has = (number) => number >= 0 && inName[number];
  return Uint8Array.from({length: frames.count}, (_, frame) =>
    has(frames.field(frame, 0)) || has(frames.field(frame, 1)) || has(frames.field(frame, 3))
    || (query.includes(':') && (frames.place(frame) ?? '').toLowerCase().includes(query)) ? 1 : 0);
}

function applyMarks() {
  const matches = looked.mark ? looked.mark.frames : looked.found;
  const part = icicle.mark(matches ?? null), text = byId('matched');
  text.replaceChildren();
  byId('unmark').hidden = !looked.mark;
  if (looked.mark) byId('unmark').textContent = `${looked.mark.what} ×`;
  if (matches) {
    text.append(element('b', '', `${(100 * part).toFixed(1)} %`), ` in ${units.plural(icicle.marked.length, 'branch', 'branches')}`);
    text.dataset.share = part;
  }
  icicle.draw();
}

function search(query) {
  looked.query = query.trim().toLowerCase();
  looked.found = framesWith(looked.query);
  looked.mark = null;
  applyMarks();
  lookAtTable();
}

function mark(one, what) {
  const {numberOf} = table.groupsOfFrames(table.by);
  const same = looked.mark?.key === `${table.by} ${one.group}`;
  looked.mark = same ? null : {
    key: `${table.by} ${one.group}`,
    what: what.length > 40 ? what.slice(0, 39) + '…' : what,
    frames: Uint8Array.from({length: frames.count}, (_, frame) => numberOf[frame + 1] === one.group ? 1 : 0),
  };
  applyMarks();
  byId('graph').scrollIntoView({block: 'nearest'});
}

function reveal(row) {
  const node = looked.tree.nodeOfRow(row);
  icicle.zoomTo(node);
  describeNode(node);
  byId('graph').scrollIntoView({block: 'nearest'});
}

// --- the table

let tableWaits;
function lookAtTable() {
  clearTimeout(tableWaits);
  const {tree} = looked, below = icicle.zoomed;
  const {shown, all} = table.update({
    values: looked.values, counts: looked.counts, metric: looked.metric, changed: looked.changed, whole: tree.weight[0],
    isShown: below ? tree.rowsBelow(below) : () => true, query: looked.query, frameMatches: looked.found,
  });
  byId('counted').textContent = (shown === all ? '' : `${units.count(shown)} of `) + units.plural(all, table.by, `${table.by}s`)
    + (below ? ` ${looked.inverted ? 'in stacks that end so' : 'below'} ${frames.what(tree.frameOf[below]).slice(0, 60)}` : '');
}

function writeGroupings() {
  for (const by of GROUPINGS) {
    const label = element('label'), input = element('input');
    input.type = 'radio';
    input.name = 'grouping';
    input.value = by;
    input.checked = by === table.by;
    input.addEventListener('change', () => {
      table.by = by;
      table.sort = {key: 'own', down: true};
      lookAtTable();
    });
    label.append(input, element('span', '', by));
    byId('grouping').append(label);
  }
}

// --- together

function choose(change) {
  Object.assign(looked, change);
  if (looked.base === looked.moment) looked.base = -1;
  // At a snapshot what the peak was is rarely what one wants to know; what was live then is.
  if ('moment' in change && looked.metric.name === 'peak' && looked.moment !== 0 && !comparing) looked.metric = METRICS[1];
  looked.mark = null;
  byId('moment').value = looked.moment;
  byId('base').value = looked.base;
  writeFigures();
  writeHint();
  lookAtTree();
  writeLegend();
  clearTimeout(tableWaits);
  tableWaits = setTimeout(lookAtTable);
  timeline?.show(looked.moment, looked.base);
}

function start() {
  writeHead();
  writeMetrics();
  writeChoices();
  writeFoot();
  icicle = new Icicle(byId('graph'), {
    select: describeNode,
    zoom() {
      clearTimeout(tableWaits);
      if (table) tableWaits = setTimeout(lookAtTable, ZOOM_TIME);
    },
    hover: tip,
    copy: copyPlace,
  });
  table = new Table(byId('table'), byId('more'), {mark, reveal, copy: copyPlace});
  writeGroupings();
  if (looked.base >= 0 && !comparing) looked.metric = METRICS[1];
  choose({});
  for (const input of document.getElementsByName('direction'))
    input.addEventListener('change', () => choose({inverted: input.value === 'callers'}));
  byId('search').addEventListener('input', (event) => search(event.target.value));
  byId('search').addEventListener('keydown', (event) => {
    if (event.key === 'Enter') icicle.nextMatch(event.shiftKey ? -1 : 1);
    if (event.key === 'Escape') search(event.target.value = '');
  });
  byId('unmark').addEventListener('click', () => {
    looked.mark = null;
    applyMarks();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target.matches('input[type=search], select')) return;
    event.preventDefault();
    byId('search').focus();
  });
  darkScheme.addEventListener('change', () => {
    colours.read();
    icicle.draw();
    writeLegend();
    timeline?.restyle();
  });
  performance.mark('usable');
  addEventListener('DOMContentLoaded', startTimeline); // the library comes behind this script
}

start();
