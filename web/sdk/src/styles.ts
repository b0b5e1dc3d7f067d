/** The look of the modal. It lives in a shadow root, so neither page's styles reach the other. */

const SHEET = `
:host { all: initial }
* { box-sizing: border-box }
dialog { padding: 0; border: 0; color: var(--text); background: var(--panel); font: 1rem/1.5 system-ui, sans-serif;
  --text: #15181e; --soft: #4a5263; --panel: #fff; --behind: #f5f6f8; --accent: #1d4ed8; --on-accent: #fff }
dialog::backdrop { background: rgb(12 16 24 / 60%) }
.window[open] { display: flex; flex-direction: column; position: fixed; inset: 0; margin: auto;
  width: min(30rem, 100vw); height: min(54rem, 100dvh - 2rem); max-width: 100vw; max-height: none;
  border-radius: 18px; overflow: hidden; background: var(--behind); box-shadow: 0 24px 64px rgb(0 0 0 / 35%) }
iframe { flex: 1; width: 100%; min-height: 0; border: 0 }
button { font: inherit; color: inherit; cursor: pointer }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: -3px }
.close { align-self: flex-end; flex: none; width: 48px; height: 48px; padding: 0; border: 0; border-radius: 18px;
  font-size: 1.75rem; line-height: 1; background: none }
.question { width: min(22rem, 100vw - 2rem); padding: 1.5rem; border-radius: 16px }
h2 { margin: 0 0 .25rem; font-size: 1.2rem; line-height: 1.3 }
p { margin: 0 0 1.25rem; color: var(--soft) }
.choices { display: flex; flex-wrap: wrap; gap: .75rem }
.choices button { flex: 1; min-height: 48px; padding: .5rem 1rem; border: 1px solid #737d8f; border-radius: 12px;
  background: none; font-weight: 600 }
.choices button:focus-visible { outline-offset: 2px }
.choices .stay { border-color: var(--accent); background: var(--accent); color: var(--on-accent) }
@media (max-width: 540px) { .window[open] { width: 100vw; height: 100vh; height: 100dvh; border-radius: 0 } }
@media (prefers-color-scheme: dark) { dialog { --text: #f1f3f7; --soft: #b9c1cf; --panel: #1a1e26; --behind: #101318;
  --accent: #9db7ff; --on-accent: #0b1430 } }
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
