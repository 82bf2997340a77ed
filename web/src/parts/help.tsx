// Keys and what else there is to know, made from the rows of the commands.
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { commands, helpOpen, toggleKeys } from "../state/commands.ts";
import { keysOn } from "../state/look.ts";
import { signedIn, signIn } from "../wire/credentials.ts";
import { terms } from "../state/filter_terms.ts";

declare const LICENCES: string; // of the build: a name with the hash of its content
const licences = typeof LICENCES === "string" ? LICENCES : "licences.txt";

const shown: Record<string, string> = { " ": "Space", ArrowDown: "↓", ArrowUp: "↑" };

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} aria-labelledby="help-title" onClose={() => (helpOpen.value = false)}>
      <header>
        <h2 id="help-title">Keys and filter</h2>
        <button type="button" onClick={() => (helpOpen.value = false)} aria-label="Close"><Icon name="close" /></button>
      </header>
      <div class="columns">
        <section>
          <label><input type="checkbox" checked={keysOn.value} onChange={toggleKeys} /> single keys act</label>
          <dl class="facts">
            {commands().map((row) => [
              <dt key={row.name}>{row.keys.map((key) => <kbd key={key}>{shown[key] ?? key}</kbd>)}</dt>,
              <dd key={`${row.name}=`}>{row.name}</dd>,
            ])}
            <dt><kbd>Enter</kbd></dt><dd>open what is selected</dd>
            <dt><kbd>Esc</kbd></dt><dd>close the detail</dd>
          </dl>
        </section>
        <section>
          <p>Values of one word are alternatives, different words all have to fit, a minus leaves out: <code>port:443,8443 -app:dns *.example.com</code></p>
          <dl class="facts">{terms.map((term) => [<dt key={term.name} class="mono">{term.name}:</dt>, <dd key={`${term.name}=`}>{term.help}</dd>])}</dl>
          {signedIn() !== "" && <p><button type="button" onClick={() => { signIn(""); location.reload(); }}>Forget the token of this tab</button></p>}
          <p class="muted"><a href={licences}>Licences</a> of what this page is made with.</p>
        </section>
      </div>
    </dialog>
  );
}
