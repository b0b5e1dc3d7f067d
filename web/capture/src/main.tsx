import { render } from "preact";

const root = document.getElementById("root");
if (root) render(<main data-screen="loading" />, root);
