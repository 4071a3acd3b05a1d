// SPDX-License-Identifier: MIT
// The head: program, how it ended, what its figures lack; the totals, which choose what is looked at; the
// foot.
function facts(trace) {
  const all = [trace.state, `pid ${trace.pid}`, `started ${trace.started}`];
  if (trace.threads > 1) all.push(`${trace.threads} threads`);
  if (trace.sample_bytes > 1) all.push(`sampled every ${units.bytes(trace.sample_bytes)}`);
  return all.join(', ');
}

function writeHead() {
  const trace = report.traces[report.traces.length - 1], [old] = report.traces;
  const line = (text) => byId('facts').append(element('div', '', text));
  byId('command').textContent = trace.command;
  line(comparing ? `${trace.file}: ${facts(trace)}` : facts(trace));
  if (comparing) line(`compared with ${old.file}: ${old.command}, ${facts(old)}`);
  for (const one of report.traces)
    for (const note of one.notes)
      byId('notes').append(element('li', '', comparing ? `${one.file}: ${note}` : note));
}

function writeFoot() {
  const {nodes, of, share: least, moments} = report.left_out, parts = [];
  if (nodes) {
    const percent = Number((100 * least).toPrecision(3));
    parts.push(`${units.count(nodes)} of ${units.count(of)} branches of the call tree have less than`
      + ` ${percent} % of everything at any time: they are added up as (other).`);
  }
  if (moments) parts.push(`${units.count(moments)} more snapshots are in the trace, but not in this page.`);
  parts.push('Bytes are those that the program asked for. Written by tracemalloc.');
  byId('foot').textContent = parts.join(' ');
}

// --- totals

function writeMetrics(choose) {
  for (const metric of METRICS) {
    const label = element('label'), input = element('input');
    input.type = 'radio';
    input.name = 'metric';
    input.value = metric.name;
    input.addEventListener('change', () => choose({metric}));
    Object.assign(metric, {input, value: element('span', 'value'), more: element('span', 'more')});
    label.append(input, element('span', 'name', metric.name), metric.value, metric.more);
    byId('metrics').append(label);
  }
}

function moreOf(metric) {
  const {totals} = report.moments[looked.moment];
  if (metric.name === 'allocations') return `${units.count(totals.reallocations)} by realloc`;
  if (metric.name !== 'temporary') return `in ${metric.formatCount(totals[metric.count])}`;
  return `${units.share(totals.temporary, totals.allocations)} of all allocations`;
}

function changeOf(metric) {
  return [looked.base, looked.moment].map((number) => report.moments[number].totals[metric.figure])
    .map(metric.format).join(' → ');
}

function writeTotal(metric) {
  const {moment, base} = looked, changed = base >= 0, figure = total(metric.figure, moment, base);
  const size = Math.abs(figure);
  const [number, unit] = metric.isBytes ? units.bytesParts(size) : [units.count(size)];
  const sign = figure < 0 ? '−' : '+', direction = figure < 0 ? ' shrunk' : ' grown';
  metric.input.checked = metric === looked.metric;
  metric.value.className = 'value' + (changed && figure ? direction : '');
  metric.value.dataset.figure = figure;
  metric.value.textContent = (changed && figure ? sign : '') + number;
  if (unit) metric.value.append(' ', element('span', 'unit', unit));
  metric.more.textContent = metric.more.title = changed ? changeOf(metric) : moreOf(metric);
}
