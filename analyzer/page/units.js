// SPDX-License-Identifier: MIT
// Figures for a person, as the terminal report writes them.
const units = {
  // [number, unit]
  bytesParts(bytes) {
    if (bytes < 1024) return [String(bytes), 'B'];
    const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
    let value = bytes, unit = 0;
    do {
      value /= 1024;
      unit++;
    } while (value >= 1023.95 && unit + 1 < names.length);
    return [value.toFixed(1), names[unit]];
  },
  bytes: (bytes) => units.bytesParts(bytes).join(' '),
  count: (count) => String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ','),
  share: (part, whole) => whole ? (100 * part / whole).toFixed(1) + ' %' : '-',
  duration(ns) {
    const exact = ns / 1e9, seconds = Math.floor(exact);
    if (exact < 0.9995) return (exact * 1e3).toFixed(0) + ' ms';
    if (seconds < 100) return exact.toFixed(2) + ' s';
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  },
  plural: (count, one, many) => `${units.count(count)} ${count === 1 ? one : many}`,
  // With a sign, for differences.
  signed: (value, format) => value ? (value < 0 ? '−' : '+') + format(Math.abs(value)) : format(0),
};
