import { render } from "preact";

import { Shop } from "./shop";
import "./styles.css";

const root = document.getElementById("root");
if (root) render(<Shop />, root);
