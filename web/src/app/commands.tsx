/** Ctrl+K: pages and actions. What it needs is loaded when it is first wanted. */
import { lazy, Suspense, useEffect, useState } from "react";

const Spotlight = lazy(() => import("./spotlight"));

export function Commands() {
  const [wanted, setWanted] = useState(0);
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      const modified = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
      // By the key's place: it is the same key in a Russian layout.
      if (event.code !== "KeyK" || !modified || event.repeat) return;
      event.preventDefault();
      setWanted((count) => count + 1);
    };
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
  }, []);
  return wanted === 0 ? null : (
    <Suspense>
      <Spotlight wanted={wanted} />
    </Suspense>
  );
}
