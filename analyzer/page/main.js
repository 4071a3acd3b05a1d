// SPDX-License-Identifier: MIT
// The parts of the page brought together.
let icicle, table, timeline;

// --- moments

function writeChoices() {
  const {moments, points} = report;
  const order = moments.map((_, number) => number);
  if (!comparing) order.sort((a, b) => moments[a].ns - moments[b].ns || b - a);
  byId('base').append(new Option('nothing', -1));
  for (const number of order)
    for (const id of ['moment', 'base']) byId(id).append(new Option(momentName(number), number));
  byId('moment').addEventListener('change', (event) => choose({moment: Number(event.target.value)}));
  byId('base').addEventListener('change', (event) => choose({base: Number(event.target.value)}));
  if (comparing) byId('time-title').textContent = 'Compared';
  byId('time').hidden = !points && moments.length < 2;
  byId('moment-choice').hidden = byId('base-choice').hidden = moments.length < 2;
  for (const id of ['chart', 'reading', 'time-keys', 'time-hint']) byId(id).hidden = !points;
  byId('key-resident').hidden = !points?.resident.some((bytes) => bytes > 0);
}

function writeHint() {
  const chosen = [looked.moment, looked.base].map((number) => report.moments[number]);
  const told = chosen.filter((one) => one?.reason).map((one) =>
    `${one.label}: ${one.reason}${one.exact ? '' : '; threads went on meanwhile, it is not one instant'}.`);
  told.push(report.moments.length > 1
    ? 'Click: the nearest snapshot. Drag: what changed between the two nearest.'
    : 'No snapshots were taken: `tracemalloc run --snapshot-interval=1` takes one every second.');
  byId('time-hint').textContent = told.join(' ');
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
  const {metric, moment, base} = looked;
  const values = column(metric.figure, moment, base), counts = column(metric.count, moment, base);
  const tree = looked.inverted ? treeOfCallers(values, counts) : treeOfCallees(values, counts);
  Object.assign(looked, {values, counts, tree, changed: base >= 0});
  if (!colours.hueOf) {
    colours.rank(tree);
    colours.read();
  }
  icicle.show(tree, describe, looked.changed);
  Object.assign(byId('graph').dataset, {metric: metric.name, total: tree.value[0], nodes: tree.count});
  applyMarks();
  describeNode(0);
}

// --- search and marks

// By frame, whether its function, file or module has the text, or its place as it is shown.
function framesWith(query) {
  if (!query) return null;
  const has = (text) => text !== undefined && text.toLowerCase().includes(query);
  const inName = report.names.map((name, number) => has(name) || has(report.short[number]));
  const matches = (frame) => [0, 1, 3].some((field) => inName[frames.field(frame, field)])
    || (query.includes(':') && has(frames.place(frame) ?? undefined));
  return Uint8Array.from({length: frames.count}, (_, frame) => matches(frame) ? 1 : 0);
}

function applyMarks() {
  const matches = looked.mark ? looked.mark.frames : looked.found, text = byId('matched');
  const part = icicle.mark(matches);
  text.replaceChildren();
  byId('unmark').hidden = !looked.mark;
  if (looked.mark) byId('unmark').textContent = `${looked.mark.what} ×`;
  if (matches) {
    const branches = units.plural(icicle.marked.length, 'branch', 'branches');
    text.append(element('b', '', `${(100 * part).toFixed(1)} %`), ` in ${branches}`);
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

// Marks a group of the table in the tree, or no longer.
function mark(one, what) {
  const {numberOf} = table.groupsOfFrames(table.by), key = `${table.by} ${one.group}`;
  const isIn = (_, frame) => numberOf[frame + 1] === one.group ? 1 : 0;
  looked.mark = looked.mark?.key === key ? null
    : {key, what: clip(what, 40), frames: Uint8Array.from({length: frames.count}, isIn)};
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
  const {values, counts, metric, changed, tree, query, found} = looked, {zoomed} = icicle;
  const isShown = zoomed ? tree.rowsBelow(zoomed) : () => true;
  const {shown, all} = table.update({values, counts, metric, changed, query, isShown,
                                     frameMatches: found, whole: tree.weight[0]});
  const side = looked.inverted ? 'in stacks through' : 'below';
  const where = zoomed ? ` ${side} ${clip(frames.what(tree.frameOf[zoomed]), 60)}` : '';
  byId('counted').textContent = (shown === all ? '' : `${units.count(shown)} of `)
    + units.plural(all, table.by, `${table.by}s`) + where;
}

function lookAtTableAfter(milliseconds) {
  clearTimeout(tableWaits);
  tableWaits = setTimeout(lookAtTable, milliseconds);
}

function writeGroupings() {
  for (const by of GROUPINGS) {
    const label = element('label'), input = element('input');
    Object.assign(input, {type: 'radio', name: 'grouping', value: by, checked: by === table.by});
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
  // At a snapshot what the peak was is rarely what one wants to know; what was live then is.
  const atSnapshot = change.moment > 0 && !comparing;
  Object.assign(looked, atSnapshot && looked.metric === METRICS[0] ? {metric: METRICS[1]} : {}, change);
  if (looked.base === looked.moment) looked.base = -1;
  looked.mark = null;
  byId('moment').value = looked.moment;
  byId('base').value = looked.base;
  METRICS.forEach(writeTotal);
  writeHint();
  lookAtTree();
  writeLegend();
  lookAtTableAfter(0);
  timeline?.show(looked.moment, looked.base);
}

function listen() {
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
  addEventListener('DOMContentLoaded', startTimeline); // the library comes behind this script
}

function start() {
  writeHead();
  writeMetrics(choose);
  writeChoices();
  writeFoot();
  icicle = new Icicle(byId('graph'), {
    select: describeNode, zoom: () => lookAtTableAfter(ZOOM_TIME), hover: tip, copy: copyPlace,
  });
  table = new Table(byId('table'), byId('more'), {mark, reveal, copy: copyPlace});
  writeGroupings();
  choose({});
  listen();
  performance.mark('usable');
}

start();
