// A state in a word, with a shape besides the colour.

import { h } from "./dom.js";
import { state } from "./words.js";

export const badge = (name) => h("span", { className: `badge ${name}` }, state(name));
