// The whole page: sign-in, then the map with a list beside it.

import { useEffect, useState } from "preact/hooks";
import { call, Refused } from "./api";
import { MapView } from "./MapView";
import { OfficePage } from "./Office";
import { Side } from "./Side";
import { SecondFactor, SignIn } from "./SignIn";
import { connected, isOffice, lastAt, me, site, start, timezone } from "./state";
import { clock, language, named, say, switchLanguage } from "./words";

export function Page() {
  const [problem, setProblem] = useState<string | null>(null);
  const [needs, setNeeds] = useState<"login" | "second factor" | null>(null);

  async function begin(): Promise<void> {
    try {
      await start();
      setNeeds(null);
      setProblem(null);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) setNeeds("login");
      else if (error instanceof Refused && error.word === "second_factor_first") setNeeds("second factor");
      else setProblem(error instanceof Refused ? error.message : say("no_service"));
    }
  }

  useEffect(() => {
    document.documentElement.lang = language.value;
    void begin();
  }, []);

  if (needs === "login") return <SignIn onDone={begin} />;
  if (needs === "second factor") return <SecondFactor onDone={begin} />;
  if (problem) return <p class="problem" role="alert">{problem}</p>;
  if (me.value && isOffice(me.value.role)) return <OfficePage me={me.value} />;
  if (!site.value || !me.value) return <p class="problem">…</p>;
  return (
    <div class="page">
      <header>
        <h1>{say("product")}</h1>
        <span class="site">{named(site.value.name)}</span>
        <span class="time">{lastAt.value && clock(lastAt.value, timezone.value)}</span>
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
