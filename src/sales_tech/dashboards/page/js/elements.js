// Elements of the page.
export const element = (id) => document.getElementById(id);

// An element with its attributes and children; on... are listeners.
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export const hidden = (...children) => make("span", { "aria-hidden": "true" }, ...children);
export const unseen = (...children) => make("span", { class: "unseen" }, ...children);

// Whether what is clicked is chosen beside the others.
export const isMore = (event) => event.ctrlKey || event.metaKey || event.shiftKey;

export function closedByEscape(details) {
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    details.firstChild.focus();
  });
  return details;
}

// A click elsewhere closes open lists and menus.
export function closeOthers() {
  addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details[open]:not([data-stays])")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
}
