/**
 * The operator's colours, type and icon, put on through the CSSOM: the page's policy forbids inline styles.
 */
import type { Brand } from "./wire";

const COLOUR = /^#[0-9a-f]{6}$/i;
/** Letters, digits, spaces, quotes, commas and hyphens: the name of a font and its fall-backs, no `url()`. */
const FONT = /^[\w\s"',-]{1,200}$/;

/** Wear the brand. Colours that are no `#rrggbb` and odd font names are left out. */
export function wear(brand: Brand, page: Document = document): void {
  const { style, dataset } = page.documentElement;
  const colours = Object.entries(brand.colors).filter(([, value]) => COLOUR.test(value));
  for (const [key, value] of colours) style.setProperty(`--${key.replace(/_/g, "-")}`, value);
  // Colours were chosen for one background; they would not fit the page's own dark scheme.
  if (colours.length > 0) dataset.branded = "";
  if (brand.font_family && FONT.test(brand.font_family)) style.setProperty("--brand-font", brand.font_family);
  if (brand.font_weight && /^\w{3,10}$/.test(brand.font_weight)) style.setProperty("--brand-weight", brand.font_weight);
  if (brand.border_radius_panel !== null) style.setProperty("--brand-panel-radius", `${brand.border_radius_panel}px`);
  if (brand.border_radius_buttons !== null) {
    style.setProperty("--brand-button-radius", `${brand.border_radius_buttons}px`);
  }
  if (brand.favicon) icon(page).href = brand.favicon;
}

function icon(page: Document): HTMLLinkElement {
  const present = page.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (present) return present;
  const link = page.createElement("link");
  link.rel = "icon";
  page.head.append(link);
  return link;
}
