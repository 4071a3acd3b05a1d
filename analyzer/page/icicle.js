// SPDX-License-Identifier: MIT
// The call tree on a canvas: drawn from the root down, as far as a branch is wide enough to be seen; hover,
// click, keys.  `on` is told of what happens: {select(node), zoom(node), hover(node, event), copy(frame)}.
const ROW = 22;        // pixels
const NARROW = 0.7;    // what is narrower is drawn as one with its smaller neighbours
const ZOOM_TIME = 160; // ms
const LEAST_ROWS = 6;

class Icicle {
  constructor(box, on) {
    this.box = box;
    this.on = on;
    this.space = box.firstElementChild;
    this.canvas = this.space.firstElementChild;
    this.context = this.canvas.getContext('2d');
    this.zoomed = this.selected = 0;
    this.hovered = -1;
    this.view = [0, 1];
    this.marks = null;
    box.addEventListener('scroll', () => this.draw());
    box.addEventListener('pointermove', (event) => this.hover(event));
    box.addEventListener('pointerleave', () => this.hoverAt(-1));
    box.addEventListener('click', (event) => this.click(event));
    box.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.resize()).observe(box);
  }

  show(tree, describe, changed) {
    this.tree = tree;
    this.describe = describe; // node: {what, right}
    this.changed = changed;
    this.hovered = -1;
    this.rowsOfAll = this.rowsBelow(0, 0, 1);
    this.zoomTo(0, false);
  }

  mark(matches) { // by frame, or null; returns the share of what is in marked branches
    const {tree} = this;
    this.matches = matches;
    this.marked = [];
    this.marks = matches && new Uint8Array(tree.count);
    if (!matches) return 0;
    const within = new Uint8Array(tree.count);
    let weight = 0;
    for (let node = 1; node < tree.count; node++) {
      const frame = tree.frameOf[node];
      this.marks[node] = frame >= 0 ? matches[frame] : 0;
      within[node] = within[tree.parents[node]] | this.marks[node];
      if (within[node] && !within[tree.parents[node]]) {
        weight += tree.weight[node];
        this.marked.push(node);
      }
    }
    this.marked.sort((a, b) => tree.weight[b] - tree.weight[a]);
    return tree.weight[0] ? weight / tree.weight[0] : 0;
  }

  // --- sizes

  resize() {
    if (!this.tree) return;
    const width = this.box.clientWidth, ratio = devicePixelRatio || 1;
    this.space.style.height = `${this.rows * ROW}px`;
    const height = this.box.clientHeight;
    const pixels = [width, height].map((size) => Math.round(size * ratio));
    if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1]) {
      [this.canvas.width, this.canvas.height] = pixels;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    this.width = width;
    this.height = height;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.font = `12px ${colours.mono}`;
    this.letter = this.context.measureText('m').width;
    this.draw();
  }

  // How many rows can be seen of a branch, from the root.
  rowsBelow(node, x, w) {
    const {tree} = this, narrow = NARROW * w / (this.box.clientWidth || 1000), todo = [node];
    let deepest = 0;
    while (todo.length) {
      const at = todo.pop();
      deepest = Math.max(deepest, tree.depth[at]);
      for (let child = tree.first[at]; child >= 0 && tree.w[child] >= narrow; child = tree.next[child])
        todo.push(child);
    }
    return deepest + 1;
  }

  zoomTo(node, animated = true) {
    const {tree} = this, from = this.view, to = [tree.x[node], tree.w[node] || 1];
    performance.mark('zoom-begins');
    this.zoomed = this.selected = node;
    this.rows = Math.max(LEAST_ROWS, this.rowsOfAll, this.rowsBelow(node, ...to));
    cancelAnimationFrame(this.ticking);
    this.view = to;
    this.resize();
    this.box.scrollTop = Math.max(0, (tree.depth[node] - 3) * ROW);
    performance.measure('zoom', 'zoom-begins');
    this.on.zoom(node);
    if (!animated || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const begin = performance.now();
    const step = (now) => {
      const done = Math.min(1, Math.max(0, (now - begin) / ZOOM_TIME)), eased = 1 - (1 - done) ** 3;
      this.view = done < 1 ? to.map((end, i) => from[i] + (end - from[i]) * eased) : to;
      this.draw();
      if (done < 1) this.ticking = requestAnimationFrame(step);
    };
    step(begin);
  }

  select(node) {
    const {tree} = this;
    let shown = node;
    if (!tree.isBelow(node, this.zoomed) && !tree.isBelow(this.zoomed, node)) shown = 0;
    if (shown === 0 && this.zoomed !== 0) this.zoomTo(tree.parents[node]);
    else if (tree.w[node] / this.view[1] * this.width < 3) this.zoomTo(tree.parents[node]);
    this.selected = node;
    const top = tree.depth[node] * ROW;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    if (top + ROW > this.box.scrollTop + this.height) this.box.scrollTop = top + ROW - this.height;
    this.draw();
    this.on.select(node);
  }

  // --- drawing

  draw() {
    if (!this.tree || !this.width) return;
    const {context, tree} = this, top = this.box.scrollTop;
    context.clearRect(0, 0, this.width, this.height);
    context.textBaseline = 'middle';
    if (!tree.weight[0]) {
      context.fillStyle = colours.soft;
      context.fillText('nothing to be shown', 6, ROW / 2);
      return;
    }
    for (let node = this.zoomed; node !== 0;) {
      node = tree.parents[node];
      this.bar(node, 0, this.width, tree.depth[node] * ROW - top, true);
    }
    this.branch(this.zoomed, top);
    if (this.hovered >= 0) this.frameOn(this.hovered, colours.soft, 1, top);
    if (this.selected > 0) this.frameOn(this.selected, colours.ink, 2, top);
  }

  branch(start, top) {
    const {tree} = this, [from, across] = this.view, scale = this.width / across, todo = [start];
    while (todo.length) {
      const node = todo.pop(), y = tree.depth[node] * ROW - top;
      if (y > this.height) continue;
      const x = Math.max(0, (tree.x[node] - from) * scale);
      const whole = (tree.x[node] + tree.w[node] - from) * scale, end = Math.min(this.width, whole);
      if (end <= 0 || x >= this.width) continue;
      if (y > -ROW) this.bar(node, x, end - x, y, false);
      for (let child = tree.first[node]; child >= 0; child = tree.next[child]) {
        if (tree.w[child] * scale < NARROW) {
          this.crumbs((tree.x[child] - from) * scale, whole - this.ownShare(node) * scale, y + ROW);
          break;
        }
        todo.push(child);
      }
    }
  }

  // The part of a node's width that none of its callees has.
  ownShare(node) {
    const {tree} = this;
    return tree.own && tree.weight[0] ? Math.abs(tree.own[node]) / tree.weight[0] : 0;
  }

  crumbs(x, end, y) {
    x = Math.max(0, x);
    end = Math.min(this.width, end);
    if (end - x < 0.3 || y <= -ROW || y > this.height) return;
    this.context.fillStyle = colours.line;
    this.context.fillRect(x, y, end - x, ROW - 1);
  }

  colour(node) {
    const {tree} = this, frame = tree.frameOf[node];
    if (this.changed) return colours.ofChange(tree.weight[node] ? tree.value[node] / tree.weight[node] : 0);
    if (node === 0) return colours.wash;
    return frame < 0 ? colours.line : colours.ofFrame(frame);
  }

  bar(node, x, w, y, above) {
    const {context} = this, marked = this.marks && this.marks[node];
    context.globalAlpha = above ? 0.55 : this.marks && !marked && node ? 0.42 : 1;
    context.fillStyle = marked && !this.changed ? colours.match : this.colour(node);
    context.fillRect(x, y, w > 2 ? w - 1 : w, ROW - 1);
    if (marked && this.changed) {
      context.fillStyle = colours.match;
      context.fillRect(x, y + ROW - 4, w > 2 ? w - 1 : w, 3);
    }
    if (w > 24) this.label(node, x + 6, w - 12, y + ROW / 2);
    context.globalAlpha = 1;
  }

  label(node, x, w, y) {
    const {context, letter} = this, text = this.describe(node), room = Math.floor(w / letter);
    context.fillStyle = colours.ink;
    let {what} = text;
    if (what.length > room) what = room > 2 ? what.slice(0, room - 1) + '…' : '';
    const wide = /[^\x20-\x7e…]/.test(what); // letters of another width
    context.fillText(what, x, y, wide ? w : undefined);
    let left = room - what.length - 2;
    if (wide || left <= 0) return;
    context.fillStyle = colours.dark ? 'rgb(255 255 255 / 62%)' : 'rgb(30 30 20 / 60%)';
    if (text.right.length <= left) {
      context.fillText(text.right, x + w - text.right.length * letter, y);
      left -= text.right.length + 2;
    }
    if (text.where.length <= left) context.fillText(text.where, x + (what.length + 2) * letter, y);
  }

  frameOn(node, colour, thick, top) {
    const {tree, context} = this, [from, across] = this.view, scale = this.width / across;
    const above = tree.isBelow(this.zoomed, node);
    const x = above ? 0 : Math.max(0, (tree.x[node] - from) * scale);
    const end = above ? this.width : Math.min(this.width, (tree.x[node] + tree.w[node] - from) * scale);
    if (end <= x) return;
    context.strokeStyle = colour;
    context.lineWidth = thick;
    const y = tree.depth[node] * ROW - top;
    context.strokeRect(x + thick / 2, y + thick / 2, Math.max(1, end - x - 1 - thick), ROW - 1 - thick);
  }

  // --- pointer and keys

  nodeAt(event) {
    const {tree} = this, area = this.canvas.getBoundingClientRect();
    const depth = Math.floor((event.clientY - area.top + this.box.scrollTop) / ROW);
    const x = this.view[0] + (event.clientX - area.left) / this.width * this.view[1];
    let node = this.zoomed;
    if (depth <= tree.depth[node]) {
      while (tree.depth[node] > depth) node = tree.parents[node];
      return node;
    }
    while (tree.depth[node] < depth) {
      let child = tree.first[node];
      while (child >= 0 && x >= tree.x[child] + tree.w[child]) child = tree.next[child];
      if (child < 0 || x < tree.x[child]) return -1;
      node = child;
    }
    return tree.w[node] * this.width / this.view[1] < NARROW ? -1 : node;
  }

  hover(event) {
    if (event.pointerType !== 'touch') this.hoverAt(this.nodeAt(event), event);
  }
  hoverAt(node, event) {
    if (node !== this.hovered) {
      this.hovered = node;
      this.box.style.cursor = node > 0 ? 'pointer' : '';
      this.draw();
    }
    this.on.hover(node, event);
  }
  click(event) {
    const node = this.nodeAt(event);
    if (node < 0) return;
    this.zoomTo(node);
    this.on.select(node);
  }

  key(event) {
    const {tree} = this, node = this.selected;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const siblingBefore = () => {
      let before = -1;
      for (let at = tree.first[tree.parents[node]]; at >= 0 && at !== node; at = tree.next[at]) before = at;
      return before;
    };
    const moves = {
      ArrowDown: () => tree.first[node],
      ArrowUp: () => node ? tree.parents[node] : -1,
      ArrowRight: () => node ? tree.next[node] : -1,
      ArrowLeft: () => node ? siblingBefore() : -1,
      Home: () => 0,
    };
    const acts = {
      Enter: () => this.zoomTo(node),
      ' ': () => this.zoomTo(node),
      Escape: () => this.zoomTo(0),
      Backspace: () => this.zoomTo(tree.parents[this.zoomed]),
      c: () => this.on.copy(tree.frameOf[node]),
      n: () => this.nextMatch(1),
      N: () => this.nextMatch(-1),
    };
    if (moves[event.key]) {
      const to = moves[event.key]();
      if (to >= 0) this.select(to);
    } else if (acts[event.key]) {
      acts[event.key]();
      if (event.key !== 'c') this.on.select(this.selected);
    } else {
      return;
    }
    event.preventDefault();
  }

  nextMatch(step) {
    if (!this.marked?.length) return;
    const at = this.marked.indexOf(this.selected), count = this.marked.length;
    this.select(this.marked[at < 0 ? (step > 0 ? 0 : count - 1) : (at + step + count) % count]);
  }
}
