// SPDX-License-Identifier: MIT
// A branch of the call tree in words: on it, beside the pointer, above the tree; the legend of its colours.
const rootName = () => looked.changed ? `all changes of ${looked.metric.name}` : `all, ${looked.metric.name}`;

function describe(node) {
  const frame = looked.tree.frameOf[node];
  if (node === 0) return {what: rootName(), where: '', right: value(0)};
  return {what: frames.what(frame), where: frame < 0 ? '' : frames.where(frame), right: value(node)};
}

function figuresOf(node) {
  const {tree, metric, changed} = looked;
  if (!tree.weight[0]) return [value(node)];
  const parts = [value(node), changed ? `${share(node)} of all changes` : share(node)];
  if (metric.one) parts.push(figureText(tree.tally[node], metric.formatCount));
  if (tree.own && node && tree.own[node] && tree.first[node] >= 0)
    parts.push(`itself ${figureText(tree.own[node], metric.format)}`);
  return parts;
}

const moduleOf = (frame) => frames.shown(frames.field(frame, 3));

function describeNode(node) {
  const frame = looked.tree.frameOf[node], [first, ...rest] = figuresOf(node);
  const figures = element('span', 'figures');
  figures.append(element('b', '', first), ...rest.map((text) => `, ${text}`));
  const parts = [element('bdi', 'what', node ? clip(frames.whole(frame), 600) : rootName())];
  if (node && frames.place(frame)) parts.push(placeButton(frame, copyPlace));
  if (node && moduleOf(frame)) parts.push(element('bdi', 'hint', moduleOf(frame)));
  byId('detail').replaceChildren(...parts, figures);
}

function tip(node, event) {
  const box = byId('tip');
  box.hidden = node < 0;
  if (node < 0 || !event) return;
  const frame = looked.tree.frameOf[node], where = node ? [frames.place(frame), moduleOf(frame)] : [];
  box.replaceChildren(element('div', 'what', node ? frames.what(frame) : rootName()),
                      ...where.filter(Boolean).map((text) => element('div', 'where', text)),
                      element('div', 'figures', figuresOf(node).join(', ')));
  const {offsetWidth: w, offsetHeight: h} = box, x = event.clientX + 14, y = event.clientY + 18;
  box.style.left = `${Math.max(4, x + w > innerWidth - 8 ? event.clientX - w - 10 : x)}px`;
  box.style.top = `${Math.max(4, y + h > innerHeight - 8 ? event.clientY - h - 12 : y)}px`;
}

function legendItem(colour, text) {
  const item = element('li');
  item.style.setProperty('--key', colour);
  item.append(element('bdi', '', text));
  return item;
}

function writeLegend() {
  const {modules} = colours, named = modules.slice(0, HUES.length), left = modules.slice(HUES.length);
  const ofChanges = [[1, 'grew'], [-1, 'shrank'], [0, 'both; as wide as what changed']];
  const items = looked.changed ? ofChanges.map(([change, text]) => legendItem(colours.ofChange(change), text))
    : named.map((module) => legendItem(colours.ofModule(module, 0.5), frames.base(frames.name(module))));
  if (!looked.changed && left.length)
    items.push(legendItem(colours.ofModule(left[0], 0.5), `${left.length} more`));
  if (!looked.changed && colours.hasSystem) items.push(legendItem(colours.ofModule(null, 0.5), 'system'));
  if (looked.tree.isCut)
    items.push(element('li', 'plain', 'some stacks are too deep to be shown to their outer end'));
  byId('legend').replaceChildren(...items);
}
