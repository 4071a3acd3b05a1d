// SPDX-License-Identifier: MIT
// What the program wrote into the page.  A node is a frame called from the node `parents[n]`; a row is a node
// where blocks were allocated, with its figures at each moment.  Everything is flat: there may be 100,000.
performance.mark('begins');
const report = JSON.parse(document.getElementById('data').textContent);

// Function, file, line, module, whether it is a runtime's allocator; names by number, -1 where unknown.
const FRAME_FIELDS = 5;
const frames = {
  count: report.frames.length / FRAME_FIELDS,
  field: (frame, field) => frame < 0 ? -1 : report.frames[frame * FRAME_FIELDS + field],
  name: (number) => number < 0 ? null : report.names[number],
  shown: (number) => number < 0 ? null : report.short[number] ?? report.names[number],

  what(frame) {
    if (frame < 0) return '(other)';
    const [name, module] = [0, 3].map((field) => frames.shown(frames.field(frame, field)));
    return name ?? frames.base(module) ?? '(unknown code)';
  },
  whole: (frame) => frames.name(frames.field(frame, 0)) ?? frames.what(frame),
  place(frame, full) {
    const file = frames.field(frame, 1), line = frames.field(frame, 2);
    if (file < 0) return null;
    return (full ? frames.name(file) : frames.shown(file)) + (line ? ':' + line : '');
  },
  module: (frame) => frames.name(frames.field(frame, 3)),
  isRuntime: (frame) => frames.field(frame, 4) === 1,
  base: (path) => path === null ? null : path.slice(path.lastIndexOf('/') + 1) || path,
  // The place, or what else is known of where it is.
  where: (frame) => frames.place(frame) ?? frames.base(frames.module(frame)) ?? '',
};

// What can be looked at: `figure` is what a branch is as wide as, `count` goes with it.
const METRICS = [
  {name: 'peak', figure: 'peak_bytes', count: 'peak_blocks', one: 'block'},
  {name: 'current', figure: 'current_bytes', count: 'current_blocks', one: 'block'},
  {name: 'allocated', figure: 'allocated_bytes', count: 'allocations', one: 'allocation'},
  {name: 'allocations', figure: 'allocations', count: 'allocated_bytes'},
  {name: 'temporary', figure: 'temporary', count: 'allocations', one: 'allocation'},
];
for (const metric of METRICS) {
  metric.isBytes = metric.figure.endsWith('_bytes');
  metric.format = metric.isBytes ? units.bytes : units.count;
  const counted = (count) => units.plural(count, metric.one, `${metric.one}s`);
  metric.formatCount = metric.one ? counted : units.bytes;
  metric.columnTitle = metric.one ? `${metric.one}s` : 'bytes';
}

const rowNodes = new Int32Array(report.rows);
const rowCount = rowNodes.length;

// The figures of all rows at a moment, by columns; read when they are first wanted.
function figuresAt(moment) {
  const at = report.moments[moment];
  at.figures ??= JSON.parse(byId(`figures-${moment}`).textContent);
  return at.figures;
}

// A figure of every row at a moment; with a base, how much more it is than at that moment.
function column(name, moment, base) {
  const values = new Float64Array(figuresAt(moment)[name]);
  if (base >= 0) figuresAt(base)[name].forEach((value, row) => { values[row] -= value; });
  return values;
}
function total(name, moment, base) {
  return report.moments[moment].totals[name] - (base >= 0 ? report.moments[base].totals[name] : 0);
}

// Where an allocation is attributed to: the innermost frame that is not a language's own allocator.
const origins = rowNodes.map((node) => {
  while (report.parents[node] !== 0 && frames.isRuntime(report.nodes[node])) node = report.parents[node];
  return node;
});

// The tree as it is in the report: the first callee of each node, the next of the same caller; -1: none.
const callees = (() => {
  const count = report.nodes.length;
  const first = new Int32Array(count).fill(-1), next = new Int32Array(count).fill(-1);
  for (let node = count - 1; node > 0; node--) {
    next[node] = first[report.parents[node]];
    first[report.parents[node]] = node;
  }
  return {first, next};
})();

// Whether a node, or one of its callers, has a frame that matches.
function nodesWithin(matches) {
  const within = new Uint8Array(report.nodes.length);
  for (let node = 1; node < within.length; node++)
    within[node] = within[report.parents[node]] || matches[report.nodes[node]] ? 1 : 0;
  return within;
}
