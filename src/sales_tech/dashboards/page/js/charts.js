// The Vega-Lite specification of each kind of chart. Colours are variables of the style sheet, so a change of theme draws nothing anew.
import { bar } from "./bars.js";
import { combo } from "./combo.js";
import { heatmap } from "./heatmap.js";
import { fan, line, stackedArea } from "./lines.js";
import { drawnRows } from "./rows.js";
import { scatter } from "./scatter.js";
import { waterfall } from "./waterfall.js";

const CHARTS = { line, stacked_area: stackedArea, bar, combo, heatmap, scatter, waterfall, fan };

const CONFIG = {
  font: '"Segoe UI", system-ui, "Liberation Sans", Arial, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: "var(--quiet)",
    titleColor: "var(--quiet)",
    gridColor: "var(--grid)",
    domainColor: "var(--line)",
    tickColor: "var(--line)",
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 400,
    labelLimit: 150,
    labelPadding: 4,
    titlePadding: 8,
  },
  axisBand: { grid: false, ticks: false, domain: false },
  axisTemporal: { grid: false },
};

// context: { data, answered, order, width, height }, where order(column) is its values as they are to stand.
// The answer: a specification, and the series of its legend.
export function chart(visual, context) {
  const drawn = drawnRows(visual, context.answered.rows);
  const { legend = [], height = context.height, ...spec } = CHARTS[visual.kind](visual, { ...context, drawn });
  const size = { width: context.width, height, autosize: { type: "fit", contains: "padding" }, padding: 2 };
  return { legend, spec: { ...size, background: null, config: CONFIG, ...spec } };
}
