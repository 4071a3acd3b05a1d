// SPDX-License-Identifier: MIT
// The call tree's colours: a hue for each of the program's own modules, the largest first; greys for the
// system's; for differences red where it grew, blue where it shrank.
const HUES = [186, 38, 262, 345, 112]; // of the first modules; the others share a colour
const OTHER = 215;
const darkScheme = matchMedia('(prefers-color-scheme: dark)');

const colours = {
  read() {
    const style = getComputedStyle(document.documentElement);
    colours.dark = darkScheme.matches;
    for (const name of ['ink', 'soft', 'card', 'line', 'wash', 'accent', 'resident', 'faint', 'mono'])
      colours[name] = style.getPropertyValue('--' + name).trim();
    colours.ofFrames = new Array(frames.count); // as they are wanted
    colours.match = colours.dark ? 'hsl(42 70% 38%)' : 'hsl(43 92% 68%)';
  },
  isSystem: (module) => module === null || /^(\/usr\/lib|\/lib|\[|linux-vdso)/.test(module),

  // The modules by how much is allocated in the largest branch of each: called once.
  rank(tree) {
    const weights = new Map();
    for (let node = 1; node < tree.count; node++) {
      const module = frames.field(tree.frameOf[node], 3);
      if (module >= 0 && !(weights.get(module) >= tree.weight[node])) weights.set(module, tree.weight[node]);
    }
    const all = [...weights.keys()];
    colours.modules = all.filter((module) => !colours.isSystem(frames.name(module)))
      .sort((a, b) => weights.get(b) - weights.get(a));
    colours.hasSystem = all.length > colours.modules.length;
    colours.hueOf = new Map(colours.modules.map((module, i) => [module, HUES[i] ?? OTHER]));
  },
  // Of a module by its number; `variation` from 0 to 1.
  ofModule(module, variation) {
    const hue = colours.hueOf.get(module);
    if (hue === undefined)
      return colours.dark ? `hsl(215 6% ${26 + 5 * variation}%)` : `hsl(40 9% ${87 - 5 * variation}%)`;
    const much = hue === OTHER ? 14 : hue === HUES[0] ? 40 : 32;
    return colours.dark ? `hsl(${hue} ${0.7 * much}% ${26 + 11 * variation}%)`
      : `hsl(${hue} ${much}% ${85 - 11 * variation}%)`;
  },
  // Neighbours differ a little, the same function is always the same.
  ofFrame(frame) {
    if (colours.ofFrames[frame]) return colours.ofFrames[frame];
    const name = frames.what(frame);
    let hash = 7;
    for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) % 65521;
    return colours.ofFrames[frame] = colours.ofModule(frames.field(frame, 3), hash % 64 / 63);
  },
  // From -1, all of it shrank, to 1.
  ofChange(change) {
    const much = Math.min(1, Math.abs(change)), hue = change > 0 ? 8 : 214;
    return colours.dark ? `hsl(${hue} ${Math.round(8 + 36 * much)}% ${Math.round(26 + 10 * much)}%)`
      : `hsl(${hue} ${Math.round(10 + 58 * much)}% ${Math.round(90 - 13 * much)}%)`;
  },
};
