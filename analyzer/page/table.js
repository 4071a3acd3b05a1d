// SPDX-License-Identifier: MIT
// The table of who allocates: rows added up by what their frames have in common, sorted, searched, and
// restricted to the branch that the call tree shows.  `on` is told: {mark(group), reveal(row), copy(frame)}.
const GROUPINGS = ['stack', 'line', 'function', 'file', 'module'];
const ROWS_AT_FIRST = 20, ROWS_MORE = 200, CALLERS = 4;

class Table {
  constructor(table, more, on) {
    [this.head, this.body] = [table.tHead, table.tBodies[0]];
    this.more = more;
    this.on = on;
    this.by = 'function';
    this.sort = {key: 'own', down: true};
    this.keys = {};
    more.addEventListener('click', () => this.showMore(ROWS_MORE));
  }

  // The number of the group that each frame belongs to, and a frame of each group.
  groupsOfFrames(by) {
    if (this.keys[by]) return this.keys[by];
    const of = (frame, ...fields) => fields.map((field) => frames.field(frame, field)).join();
    const key = {
      line: (frame) => frames.field(frame, 2) && frames.place(frame) ? of(frame, 1, 2) : key.function(frame),
      function: (frame) => frames.field(frame, 0) < 0 ? key.module(frame) : 'f' + of(frame, 0, 1, 3),
      file: (frame) => frames.field(frame, 1) < 0 ? key.module(frame) : 'p' + of(frame, 1),
      module: (frame) => 'm' + of(frame, 3),
    };
    const numbers = new Map(), first = [], numberOf = new Int32Array(frames.count + 1);
    for (let frame = -1; frame < frames.count; frame++) {
      const name = frame < 0 ? '' : key[by](frame);
      if (!numbers.has(name)) {
        numbers.set(name, first.length);
        first.push(frame);
      }
      numberOf[frame + 1] = numbers.get(name);
    }
    return this.keys[by] = {numberOf, first, count: first.length};
  }

  groups({values, counts, isShown}) {
    if (this.by === 'stack') return this.stacks(values, counts, isShown);
    const {numberOf, first, count} = this.groupsOfFrames(this.by);
    const own = new Float64Array(count), tally = new Float64Array(count);
    const sums = new Float64Array(report.nodes.length);
    for (let row = 0; row < rowCount; row++) {
      if (!isShown(row)) continue;
      const group = numberOf[report.nodes[origins[row]] + 1];
      own[group] += values[row];
      tally[group] += counts[row];
      sums[origins[row]] += values[row];
    }
    const whole = this.withCallees(sums, numberOf, count);
    const groupOf = (frame, group) =>
      ({frame, group, own: own[group], tally: tally[group], whole: whole[group]});
    return first.map(groupOf).filter((one) => one.own || one.tally || one.whole);
  }

  // What is below the outermost nodes of each group: recursion counts once.
  withCallees(sums, numberOf, count) {
    const {nodes, parents} = report, whole = new Float64Array(count);
    for (let node = nodes.length - 1; node > 0; node--) sums[parents[node]] += sums[node];
    const open = new Int32Array(count), {first, next} = callees, path = [];
    for (let node = first[0]; node >= 0;) {
      const group = numberOf[nodes[node] + 1];
      if (open[group]++ === 0) whole[group] += sums[node];
      path.push(node);
      node = first[node];
      while (node < 0 && path.length) {
        const done = path.pop();
        open[numberOf[nodes[done] + 1]]--;
        node = next[done];
      }
    }
    return whole;
  }

  stacks(values, counts, isShown) {
    const all = [];
    for (let row = 0; row < rowCount; row++) {
      if ((!values[row] && !counts[row]) || !isShown(row)) continue;
      const frame = report.nodes[origins[row]];
      all.push({row, frame, own: values[row], tally: counts[row], whole: values[row]});
    }
    return all;
  }

  // What is read of a group: by function more than by file.
  words(one) {
    const {frame} = one;
    if (frame < 0) return {what: '(other)', where: ''};
    if (this.by === 'module') return {what: frames.module(frame) ?? '(unknown)', where: ''};
    const file = frames.shown(frames.field(frame, 1));
    if (this.by === 'file') return {what: file ?? frames.module(frame) ?? '(unknown)', where: ''};
    if (this.by === 'function') return {what: frames.what(frame), where: file ?? frames.where(frame)};
    return {what: frames.what(frame), where: frames.where(frame)};
  }

  matches(one, query, within) {
    if (!query) return true;
    if (this.by !== 'stack') {
      const words = this.words(one), all = [words.what, words.where];
      if (this.by === 'function') all.push(frames.whole(one.frame));
      return all.some((word) => word.toLowerCase().includes(query));
    }
    return within[rowNodes[one.row]] === 1;
  }

  update(what) {
    this.what = what;
    const all = this.groups(what);
    const within = what.query && this.by === 'stack' ? nodesWithin(what.frameMatches) : null;
    this.ranked = all.filter((one) => this.matches(one, what.query, within));
    this.rank();
    return {shown: this.ranked.length, all: all.length};
  }

  rank() {
    const {key, down} = this.sort, {changed} = this.what;
    const text = (one) => this.words(one)[key];
    const size = (one) => changed ? Math.abs(one[key]) : one[key];
    this.ranked.sort(key === 'what' || key === 'where'
      ? (a, b) => text(a).localeCompare(text(b), 'en') * (down ? -1 : 1)
      : (a, b) => (size(b) - size(a)) * (down ? 1 : -1) || Math.abs(b.whole) - Math.abs(a.whole));
    this.writeHead();
    this.body.replaceChildren();
    this.showMore(ROWS_AT_FIRST);
  }

  // --- writing

  columns() {
    const {metric} = this.what, byStack = this.by === 'stack';
    return [
      {key: 'own', title: metric.name},
      {key: 'own', share: true},
      {key: 'tally', title: metric.columnTitle},
      ...(byStack ? [] : [{key: 'whole', title: 'with callees'}]),
      {key: 'what', title: {stack: 'allocated by', line: 'function'}[this.by] ?? this.by, text: true},
      ...(this.by === 'file' || this.by === 'module' ? [] : [{key: 'where', title: 'place', text: true}]),
    ];
  }

  writeHead() {
    const row = element('tr');
    for (const column of this.columns()) {
      const cell = element('th', column.text ? 'text' : '');
      cell.scope = 'col';
      if (column.share) {
        cell.append(element('span', 'unseen', 'share'));
      } else {
        const button = element('button', '', column.title);
        button.type = 'button';
        button.addEventListener('click', () => this.sortBy(column));
        if (this.sort.key === column.key) cell.ariaSort = this.sort.down ? 'descending' : 'ascending';
        cell.append(button);
      }
      row.append(cell);
    }
    this.head.replaceChildren(row);
  }

  sortBy(column) {
    const again = this.sort.key === column.key;
    this.sort = {key: column.key, down: again ? !this.sort.down : !column.text};
    this.rank();
    [...this.head.querySelectorAll('button')].find((button) => button.textContent === column.title)?.focus();
  }

  showMore(count) {
    const from = this.body.rows.length, part = this.ranked.slice(from, from + count);
    this.body.append(...part.map((one) => this.writeRow(one)));
    const left = this.ranked.length - from - part.length;
    this.more.hidden = left <= 0;
    this.more.textContent = left > ROWS_MORE ? `Show ${ROWS_MORE} more of ${units.count(left)}`
      : `Show the other ${left}`;
  }

  writeRow(one) {
    const row = element('tr'), {metric, changed, whole} = this.what;
    row.tabIndex = 0;
    const number = (value, format) => {
      const cell = element('td', !value ? 'zero' : !changed ? '' : value > 0 ? 'grown' : 'shrunk',
                           changed ? units.signed(value, format) : format(value));
      row.append(cell);
    };
    number(one.own, metric.format);
    row.append(this.writeShare(one.own, whole));
    number(one.tally, metric.formatCount === units.bytes ? units.bytes : units.count);
    if (this.by !== 'stack') number(one.whole, metric.format);
    this.writePlace(row, one);
    const choose = () => {
      if (one.row === undefined) this.on.mark(one, this.words(one).what);
      else this.on.reveal(one.row);
    };
    row.addEventListener('click', choose);
    row.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && event.target === row) choose();
    });
    return row;
  }

  writeShare(value, whole) {
    const cell = element('td', value ? 'share' : 'share zero', units.share(Math.abs(value), whole));
    const line = element('i');
    line.style.width = `${Math.min(100, 100 * Math.abs(value) / (whole || 1))}%`;
    cell.append(line);
    return cell;
  }

  writePlace(row, one) {
    const words = this.words(one), what = element('td', 'text'), name = element('bdi', '', words.what);
    const placed = this.by !== 'file' && this.by !== 'module';
    if (one.frame >= 0 && placed) name.title = frames.whole(one.frame).slice(0, 1000);
    what.append(name);
    if (one.row !== undefined) what.append(element('div', 'callers', this.callers(one.row)));
    row.append(what);
    if (!placed) return;
    const where = element('td', 'text'), known = one.frame >= 0 && frames.place(one.frame);
    where.append(known ? placeButton(one.frame, this.on.copy, words.where) : element('bdi', '', words.where));
    row.append(where);
  }

  callers(row) {
    const names = [];
    let node = report.parents[origins[row]];
    for (; node !== 0 && names.length < CALLERS; node = report.parents[node])
      names.push(clip(frames.what(report.nodes[node]), 60));
    if (node !== 0) names.push('…');
    return names.map((name) => `← ${name}`).join(' ');
  }
}
