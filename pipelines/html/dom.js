/* Elements made in code: text only ever becomes text, whatever it holds. */
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** An element with attributes (`onclick` and the like are listeners) and children (texts or elements). */
function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for what stands inside an <svg>. */
function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

const byId = (id) => document.getElementById(id);

/** A number as a person reads it: four digits that count, ∞ for what evaluation.json calls "inf". */
function shown(value) {
  if (value === null || value === undefined) return "–";
  if (value === "inf") return "∞";
  if (value === "-inf") return "−∞";
  if (value < 0) return `−${shown(-value)}`;
  if (Number.isInteger(value)) return value.toLocaleString("en");
  if (value < 1e-3 || value >= 1e6) return value.toExponential(2).replace("e+", "e").replace("e-", "e−");
  return value >= 1e3 ? Math.round(value).toLocaleString("en") : value.toPrecision(4);
}

/** The same without the noughts at its end: for what is round, as the marks of an axis. */
const round = (value) => shown(value).replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "");

/** Seconds as 0:12.48. */
function clock(seconds) {
  const minutes = Math.floor(seconds / 60 + 1e-9);
  return `${minutes}:${Math.max(0, seconds - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
