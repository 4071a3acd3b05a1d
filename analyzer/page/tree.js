// SPDX-License-Identifier: MIT
// Call trees, weighed and laid out: each node from x to x + w of a width of 1, its callees in it, largest
// first.  `values` may be differences: a branch is as wide as what changed in it, up or down.
// Of everything: smaller branches of an inverted tree are not followed further; nor is any after so many
// steps, one for each row in each branch.
const SMALLEST = 1e-4, MOST_STEPS = 4e6;

class Tree {
  // parents before children; the first is the root.
  constructor(parents, frameOf) {
    this.parents = parents;
    this.frameOf = frameOf;
    this.count = parents.length;
    this.weight = new Float64Array(this.count);
    this.value = new Float64Array(this.count);
    this.tally = new Float64Array(this.count);
    this.own = null; // values without callees'
  }

  layOut() {
    const {parents, weight, count} = this;
    const first = this.first = new Int32Array(count).fill(-1);
    const next = this.next = new Int32Array(count).fill(-1);
    const x = this.x = new Float64Array(count), w = this.w = new Float64Array(count);
    const depth = this.depth = new Int32Array(count);
    for (let node = count - 1; node > 0; node--) {
      if (weight[node] <= 0) continue;
      next[node] = first[parents[node]];
      first[parents[node]] = node;
    }
    for (let node = 0; node < count; node++) this.sortCallees(node);
    const all = weight[0] || 1;
    w[0] = weight[0] ? 1 : 0;
    for (let node = 0; node < count; node++) {
      let at = x[node];
      for (let child = first[node]; child >= 0; child = next[child]) {
        x[child] = at;
        w[child] = weight[child] / all;
        depth[child] = depth[node] + 1;
        at += w[child];
      }
    }
    return this;
  }

  sortCallees(node) {
    const {first, next, weight} = this;
    if (first[node] < 0 || next[first[node]] < 0) return;
    const callees = [];
    for (let child = first[node]; child >= 0; child = next[child]) callees.push(child);
    callees.sort((a, b) => weight[b] - weight[a]);
    first[node] = callees[0];
    callees.forEach((child, i) => { next[child] = callees[i + 1] ?? -1; });
  }

  isBelow(node, above) {
    while (node > above) node = this.parents[node];
    return node === above;
  }
  path(node) {
    const path = [];
    for (; node > 0; node = this.parents[node]) path.push(node);
    return path.reverse();
  }
}

function treeOfCallees(values, counts) {
  const tree = new Tree(new Int32Array(report.parents), new Int32Array(report.nodes));
  const {parents, weight, value, tally} = tree;
  tree.own = new Float64Array(tree.count);
  for (let row = 0; row < rowCount; row++) {
    const node = rowNodes[row];
    weight[node] += Math.abs(values[row]);
    value[node] += values[row];
    tally[node] += counts[row];
    tree.own[node] += values[row];
  }
  for (let node = tree.count - 1; node > 0; node--) {
    weight[parents[node]] += weight[node];
    value[parents[node]] += value[node];
    tally[parents[node]] += tally[node];
  }
  tree.rowsBelow = (above) => {
    const below = new Uint8Array(tree.count);
    below[above] = 1;
    for (let node = above + 1; node < tree.count; node++) below[node] = below[parents[node]];
    return (row) => below[rowNodes[row]] === 1;
  };
  tree.nodeOfRow = (row) => rowNodes[row];
  return tree.layOut();
}

// The same stacks from inside to outside: at the top who allocates, below who called it.
function treeOfCallers(values, counts) {
  const parents = [0], frameOf = [-1], members = [[]], at = [origins];
  const weights = [0];
  for (let row = 0; row < rowCount; row++) {
    weights[0] += Math.abs(values[row]);
    if (values[row]) members[0].push(row);
  }
  const least = weights[0] * SMALLEST;
  // Rows with the node that each has come to are split by that node's frame.
  let steps = 0;
  for (let node = 0; node < parents.length; node++) {
    if (node && (weights[node] < least || steps > MOST_STEPS)) continue;
    steps += members[node].length;
    const byFrame = new Map();
    members[node].forEach((row, i) => {
      const here = node ? report.parents[at[node][i]] : origins[row];
      if (here === 0) return; // was the outermost
      const frame = report.nodes[here];
      let child = byFrame.get(frame);
      if (child === undefined) {
        child = parents.length;
        byFrame.set(frame, child);
        parents.push(node);
        frameOf.push(frame);
        members.push([]);
        at.push([]);
        weights.push(0);
      }
      members[child].push(row);
      at[child].push(here);
      weights[child] += Math.abs(values[row]);
    });
  }
  const tree = new Tree(new Int32Array(parents), new Int32Array(frameOf));
  tree.weight.set(weights);
  tree.isCut = steps > MOST_STEPS;
  members.forEach((rows, node) => {
    for (const row of rows) {
      tree.value[node] += values[row];
      tree.tally[node] += counts[row];
    }
  });
  tree.rowsBelow = (above) => {
    const rows = new Set(members[above]);
    return (row) => rows.has(row);
  };
  tree.nodeOfRow = (row) => {
    let found = 0;
    for (let here = origins[row]; here !== 0; here = report.parents[here]) {
      let child = tree.first[found];
      while (child >= 0 && frameOf[child] !== report.nodes[here]) child = tree.next[child];
      if (child < 0) break;
      found = child;
    }
    return found;
  };
  return tree.layOut();
}
