// SPDX-License-Identifier: MIT
// What is looked at: a figure at a moment, or how much more it is than at another, the base (-1: none).
const comparing = report.traces.length === 2;
const looked = {
  metric: METRICS.find((one) => one.name === report.metric), moment: report.shown, base: report.base,
  inverted: false,
  tree: null, values: null, counts: null, changed: false, // what comes of it
  query: '', found: null, mark: null, // what is searched, the frames that match; a group of the table
};

function momentName(number) {
  const moment = report.moments[number], file = frames.base(report.traces[moment.trace].file);
  const name = moment.reason ? `${moment.label}, ${units.duration(moment.ns)}` : moment.label;
  return comparing ? `${number ? 'new' : 'old'}: ${file}${moment.reason ? `, ${moment.label}` : ''}` : name;
}

// The figure of a node of the tree, as text.
const value = (node) => figureText(looked.tree.value[node], looked.metric.format);
const share = (node) => units.share(looked.tree.weight[node], looked.tree.weight[0]);
const figureText = (figure, format) => looked.changed ? units.signed(figure, format) : format(figure);
