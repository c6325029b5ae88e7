// The whole page: sign-in, then the map with a list beside it.

import { useEffect, useState } from "preact/hooks";
import { call, Refused } from "./api";
import { MapView } from "./MapView";
import { Side } from "./Side";
import { connected, lastAt, me, site, start, timezone } from "./state";
import { clock, language, named, say, switchLanguage } from "./words";

export function Page() {
  const [problem, setProblem] = useState<string | null>(null);
  const [needsToken, setNeedsToken] = useState(false);

  async function begin(): Promise<void> {
    try {
      await start();
      setNeedsToken(false);
      setProblem(null);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) setNeedsToken(true);
      else setProblem(error instanceof Refused ? error.message : say("no_service"));
    }
  }

  useEffect(() => {
    document.documentElement.lang = language.value;
    void begin();
  }, []);

  if (needsToken) return <SignIn onDone={begin} />;
  if (problem) return <p class="problem" role="alert">{problem}</p>;
  if (!site.value || !me.value) return <p class="problem">…</p>;
  return (
    <div class="page">
      <header>
        <h1>{say("product")}</h1>
        <span class="site">{named(site.value.name)}</span>
        <span class="time">{clock(lastAt.value, timezone.value)}</span>
        <span class={connected.value ? "link up" : "link down"} role="status">
          {connected.value ? say("live") : say("reconnecting")}
        </span>
        <span class="who">{me.value.name}</span>
        <button onClick={switchLanguage}>{say("language")}</button>
        <button onClick={() => void call("/v1/session", "DELETE").then(() => location.reload())}>
          {say("sign_out")}
        </button>
      </header>
      <MapView site={site.value} />
      <Side />
    </div>
  );
}

function SignIn({ onDone }: { onDone: () => Promise<void> }) {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<string | null>(null);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    try {
      await call("/v1/session", "POST", { token: token.trim() });
      await onDone();
    } catch (error) {
      setProblem(error instanceof Refused ? say("token_refused") : say("no_service"));
    }
  }

  return (
    <form class="signin" onSubmit={(event) => void submit(event)}>
      <h1>{say("product")}</h1>
      <label>
        {say("token")}
        <input type="password" autocomplete="current-password" value={token} autofocus
          onInput={(event) => setToken(event.currentTarget.value)} />
      </label>
      <small>{say("token_help")}</small>
      {problem && <p role="alert" class="problem">{problem}</p>}
      <div class="buttons">
        <button type="submit" class="main">{say("sign_in")}</button>
        <button type="button" onClick={switchLanguage}>{say("language")}</button>
      </div>
    </form>
  );
}
