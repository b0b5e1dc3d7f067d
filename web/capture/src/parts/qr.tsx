import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Quiet modules around the code (ISO/IEC 18004 asks for four). */
const QUIET = 4;

/** A QR code as one SVG path, black on white in every colour scheme: cameras read nothing else reliably. */
export function QrCode({ text, label }: { text: string; label: string }): JSX.Element {
  const [modules, setModules] = useState<boolean[][] | null>(null);
  useEffect(() => {
    let current = true;
    void import("uqr").then(({ encode }) => {
      if (current) setModules(encode(text, { ecc: "M", border: 0 }).data);
    });
    return () => void (current = false);
  }, [text]);
  const size = (modules?.length ?? 33) + 2 * QUIET;
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#ffffff" />
      {modules ? <path d={pathOf(modules)} fill="#000000" /> : null}
    </svg>
  );
}

function pathOf(modules: boolean[][]): string {
  const squares = modules.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")));
  return squares.join("");
}
