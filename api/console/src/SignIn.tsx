// Signing in: with login and password, at the organisation's identity provider, or with an access token.

import { renderSVG } from "uqr";
import { useEffect, useState } from "preact/hooks";
import { call, Refused } from "./api";
import { say, switchLanguage } from "./words";

type Ways = { password: boolean; token: boolean; provider: boolean };
type Done = { onDone: () => Promise<void> };

export function SignIn({ onDone }: Done) {
  const [ways, setWays] = useState<Ways | null>(null);
  const [byToken, setByToken] = useState(false);

  useEffect(() => {
    const onlyToken = { password: false, token: true, provider: false };
    void call<Ways>("/v1/login/ways").catch(() => onlyToken).then((found) => {
      setWays(found);
      setByToken(!found.password);
    });
  }, []);

  if (!ways) return <p class="problem">…</p>;
  return (
    <section class="signin">
      <h1>{say("product")}</h1>
      {byToken ? <TokenForm onDone={onDone} /> : <PasswordForm onDone={onDone} />}
      {ways.provider && <a class="way" href="/v1/login/provider">{say("use_provider")}</a>}
      {ways.password && (
        <button class="way" type="button" onClick={() => setByToken(!byToken)}>
          {say(byToken ? "use_password" : "use_token")}
        </button>
      )}
    </section>
  );
}

function TokenForm({ onDone }: Done) {
  const [token, setToken] = useState("");
  const form = useForm(onDone, () => call("/v1/session", "POST", { token: token.trim() }), "token_refused");
  return (
    <form onSubmit={form.submit}>
      <Secret label={say("token")} value={token} onInput={setToken} />
      <small>{say("token_help")}</small>
      <Foot problem={form.problem} />
    </form>
  );
}

function PasswordForm({ onDone }: Done) {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const form = useForm(
    onDone,
    async () => {
      try {
        await call("/v1/login", "POST", { login, password, ...(code ? { code } : {}) });
      } catch (error) {
        if (!(error instanceof Refused && error.word === "second_factor_wanted")) throw error;
        setCode("");
        return "goes on";
      }
    },
    "login_refused",
  );
  return (
    <form onSubmit={form.submit}>
      <label>
        {say("login")}
        <input autocomplete="username" value={login} autofocus onInput={(e) => setLogin(e.currentTarget.value)} />
      </label>
      <Secret label={say("password")} value={password} onInput={setPassword} />
      {code !== null && (
        <label>
          {say("code")}
          <input autocomplete="one-time-code" value={code} autofocus
            onInput={(e) => setCode(e.currentTarget.value)} />
        </label>
      )}
      <Foot problem={form.problem} />
    </form>
  );
}

/** Setting up the second factor, asked of administrators before anything else. */
export function SecondFactor({ onDone }: Done) {
  const [begun, setBegun] = useState<{ secret: string; uri: string } | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [code, setCode] = useState("");
  const form = useForm(
    async () => undefined,
    async () => {
      const path = "/v1/account/second-factor/confirm";
      setCodes((await call<{ recovery_codes: string[] }>(path, "POST", { code })).recovery_codes);
    },
    "factor_wrong",
  );

  useEffect(() => {
    void call<{ secret: string; uri: string }>("/v1/account/second-factor", "POST").then(setBegun);
  }, []);

  if (codes) {
    return (
      <section class="signin">
        <h1>{say("factor_title")}</h1>
        <p>{say("factor_codes")}</p>
        <pre class="codes">{codes.join("\n")}</pre>
        <button class="main" onClick={() => void onDone()}>{say("factor_done")}</button>
      </section>
    );
  }
  return (
    <form class="signin" onSubmit={form.submit}>
      <h1>{say("factor_title")}</h1>
      <p>{say("factor_scan")}</p>
      {begun && <div class="qr" dangerouslySetInnerHTML={{ __html: renderSVG(begun.uri) }} />}
      {begun && <p><small>{say("factor_secret")}</small> <code>{begun.secret}</code></p>}
      <label>
        {say("code")}
        <input autocomplete="one-time-code" value={code} onInput={(e) => setCode(e.currentTarget.value)} />
      </label>
      <Foot problem={form.problem} word="factor_confirm" />
    </form>
  );
}

function Secret(props: { label: string; value: string; onInput: (value: string) => void }) {
  return (
    <label>
      {props.label}
      <input type="password" autocomplete="current-password" value={props.value}
        onInput={(event) => props.onInput(event.currentTarget.value)} />
    </label>
  );
}

function Foot({ problem, word = "sign_in" }: { problem: string | null; word?: "sign_in" | "factor_confirm" }) {
  return (
    <>
      {problem && <p role="alert" class="problem">{problem}</p>}
      <div class="buttons">
        <button type="submit" class="main">{say(word)}</button>
        <button type="button" onClick={switchLanguage}>{say("language")}</button>
      </div>
    </>
  );
}

/** Sends a form; what it refuses is worded by `refused`, too many tries by the service itself. */
function useForm(done: () => Promise<void>, send: () => Promise<unknown>, refused: Parameters<typeof say>[0]) {
  const [problem, setProblem] = useState<string | null>(null);
  async function work(): Promise<void> {
    try {
      const went = await send();
      setProblem(null);
      if (went !== "goes on") await done();
    } catch (error) {
      if (!(error instanceof Refused)) setProblem(say("no_service"));
      else setProblem(error.status === 429 ? error.message : say(refused));
    }
  }
  const submit = (event: Event) => {
    event.preventDefault();
    void work();
  };
  return { problem, submit };
}
