// Where the sensor wants a token and has none, or a wrong one; and any other refusal of the whole page.
import { useState } from "preact/hooks";
import { plain } from "../format/names.ts";
import { retry } from "../state/sensor.ts";
import { signedIn, signIn } from "../wire/credentials.ts";
import type { Refusal } from "../wire/refusal.ts";
import { inputValue } from "../wire/wire.ts";
import { Problem } from "./states.tsx";

function begin(token: string): void {
  signIn(token.trim());
  location.reload(); // every stream and list begins as somebody else
}

export function SignIn({ refusal }: { refusal: Refusal }) {
  const [token, setToken] = useState("");
  const again = signedIn() !== "";
  return (
    <main class="sign-in">
      <form class="panel" onSubmit={(event) => { event.preventDefault(); begin(token); }}>
        <h1>{again ? "The sensor does not know this token" : "Who asks?"}</h1>
        <p class="muted">{plain(refusal.message)}</p>
        <label>Token <input type="password" autocomplete="current-password" value={token} onInput={(event) => setToken(inputValue(event))} /></label>
        <p><button type="submit" disabled={token.trim() === ""}>Sign in</button></p>
        <p class="muted">The sensor's tokens file holds who may look (<code>grpc.auth</code>, <code>web.auth</code>). The token stays in this tab.</p>
      </form>
    </main>
  );
}

/** The browser keeps names and passwords to itself, and asks for them when a page is loaded. */
const WithPassword = ({ refusal }: { refusal: Refusal }) => (
  <main class="sign-in">
    <section class="panel">
      <h1>The sensor wants a name and password</h1>
      <p class="muted">{plain(refusal.message)}</p>
      <p><button type="button" onClick={() => location.reload()}>Sign in</button></p>
      <p class="muted">They are those of <code>web.auth</code> in the sensor's settings.</p>
    </section>
  </main>
);

export const Refused = ({ refusal }: { refusal: Refusal }) =>
  refusal.wantsPassword ? <WithPassword refusal={refusal} /> : refusal.code === "unauthenticated" ? <SignIn refusal={refusal} /> : <main><Problem refusal={refusal} retry={retry} /></main>;
