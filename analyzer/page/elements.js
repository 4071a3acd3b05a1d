// SPDX-License-Identifier: MIT
// Making elements.  Names only ever become text, never markup.
const byId = (id) => document.getElementById(id);

const clip = (text, most) => text.length > most ? text.slice(0, most - 1) + '…' : text;

function element(tag, className = '', text = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// A place in the source that a click copies.
function placeButton(frame, copy, text = frames.place(frame)) {
  const button = element('button', 'place', text);
  button.type = 'button';
  button.title = 'Copy';
  button.addEventListener('click', (event) => {
    event.stopPropagation();
    copy(frame);
  });
  return button;
}

let toastEnds;
function toast(text) {
  byId('toast').textContent = text;
  byId('toast').classList.add('shown');
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => byId('toast').classList.remove('shown'), 2200);
}

// Where a page has no clipboard, as a selection.
function copyByHand(text) {
  const area = element('textarea', 'unseen', text), focused = document.activeElement;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  focused?.focus();
  return done;
}

async function copyPlace(frame) {
  const place = frames.place(frame, true);
  if (!place) return;
  let done = true;
  try {
    await navigator.clipboard.writeText(place);
  } catch {
    done = copyByHand(place);
  }
  const shown = place.length > 120 ? '…' + place.slice(-119) : place;
  toast(done ? `copied ${shown}` : 'this browser does not let a page copy');
}
