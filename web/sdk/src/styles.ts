/** The look of the modal. It lives in a shadow root, so neither page's styles reach the other. */

const SHEET = `
:host { all: initial }
* { box-sizing: border-box }
dialog { padding: 0; border: 0; color: #15181e; background: #fff; font: 1rem/1.5 system-ui, sans-serif }
dialog::backdrop { background: rgb(12 16 24 / 60%) }
.window { position: fixed; inset: 0; margin: auto; width: min(30rem, 100vw); height: min(54rem, 100dvh - 2rem);
  max-width: 100vw; max-height: none; border-radius: 18px; overflow: hidden; box-shadow: 0 24px 64px rgb(0 0 0 / 35%) }
.window iframe { display: block; width: 100%; height: 100%; border: 0; background: #f5f6f8 }
button { font: inherit; color: inherit; cursor: pointer }
button:focus-visible { outline: 3px solid #1d4ed8; outline-offset: 2px }
.close { position: absolute; top: 8px; inset-inline-end: 8px; width: 44px; height: 44px; padding: 0; border: 0;
  border-radius: 50%; font-size: 1.75rem; line-height: 1; background: rgb(255 255 255 / 92%) }
.question { width: min(22rem, 100vw - 2rem); padding: 1.5rem; border-radius: 16px }
h2 { margin: 0 0 .25rem; font-size: 1.2rem; line-height: 1.3 }
p { margin: 0 0 1.25rem; color: #4a5263 }
.choices { display: flex; flex-wrap: wrap; gap: .75rem }
.choices button { flex: 1; min-height: 48px; padding: .5rem 1rem; border: 1px solid #737d8f; border-radius: 12px;
  background: #fff; font-weight: 600 }
.choices .stay { border-color: #1d4ed8; background: #1d4ed8; color: #fff }
@media (max-width: 540px) { .window { width: 100vw; height: 100dvh; border-radius: 0 } }
`;

/** Give a shadow root the styles. A constructed sheet needs no `unsafe-inline` in the policy of the page around. */
export function dress(root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(SHEET);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // Safari before 16.4.
    const style = document.createElement("style");
    style.textContent = SHEET;
    root.append(style);
  }
}
