// The pages of the three administrators: who may log in, what was done, how the service meets the world.

import { useEffect, useState } from "preact/hooks";
import { call } from "./api";
import type { Me } from "./model";
import { code, language, say, switchLanguage } from "./words";

interface Account {
  id: string; login: string; name: string; role: string; agency: string | null; second_factor: boolean;
  locked_until: string | null; disabled_at: string | null; created_at: string;
}
interface Key {
  id: string; name: string; role: string; agency: string | null; scopes: string[] | null;
  created_at: string; revoked_at: string | null;
}
interface Session { id: string; name: string; role: string; mine: boolean; created_at: string; seen_at: string | null }
interface Entry {
  seq: number; at: string; actor: string; role: string; agency: string | null; action: string; target: string;
}
interface Verdict { holds: boolean; entries: number; head: string; reason: string | null }
interface System { version: string; outbound: { to: string; on: boolean; where: string | null }[] }

export function OfficePage({ me }: { me: Me }) {
  return (
    <div class="office">
      <header>
        <h1>{say("product")}</h1>
        <span class="site">{code(me.role)}</span>
        <span class="who time">{me.name}</span>
        <button onClick={switchLanguage}>{say("language")}</button>
        <button onClick={() => void call("/v1/session", "DELETE").then(() => location.reload())}>
          {say("sign_out")}
        </button>
      </header>
      {me.role === "security" && <Security />}
      {me.role === "auditor" && <Trail />}
      {me.role === "system" && <Outside />}
    </div>
  );
}

function Security() {
  const [accounts, setAccounts] = useState<Account[]>([]);
  const [keys, setKeys] = useState<Key[]>([]);
  const [sessions, setSessions] = useState<Session[]>([]);
  const [problem, setProblem] = useState<string | null>(null);

  async function read(): Promise<void> {
    const [a, k, s] = await Promise.all([
      call<{ accounts: Account[] }>("/v1/accounts"),
      call<{ keys: Key[] }>("/v1/keys"),
      call<{ sessions: Session[] }>("/v1/sessions"),
    ]);
    setAccounts(a.accounts);
    setKeys(k.keys);
    setSessions(s.sessions);
  }

  async function act(path: string, method: string, body?: unknown): Promise<void> {
    try {
      await call(path, method, body);
      setProblem(null);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    await read();
  }

  useEffect(() => void read(), []);

  return (
    <main class="sheets">
      {problem && <p role="alert" class="problem">{problem}</p>}
      <section>
        <h2>{say("accounts")}</h2>
        <table>
          <tbody>
            {accounts.map((row) => (
              <tr key={row.id} class={row.disabled_at ? "off" : ""}>
                <td>{row.login}</td>
                <td>{row.name}</td>
                <td>{code(row.role)}{row.agency ? ` · ${row.agency}` : ""}</td>
                <td>{standing(row)}</td>
                <td class="acts">
                  <button onClick={() => void act(`/v1/accounts/${row.id}`, "PATCH", { disabled: !row.disabled_at })}>
                    {say(row.disabled_at ? "enable" : "disable")}
                  </button>
                  {row.locked_until && (
                    <button onClick={() => void act(`/v1/accounts/${row.id}`, "PATCH", { unlock: true })}>
                      {say("unlock")}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <AddPerson add={(body) => act("/v1/accounts", "POST", body)} />
      </section>
      <section>
        <h2>{say("keys")}</h2>
        <table>
          <tbody>
            {keys.map((row) => (
              <tr key={row.id} class={row.revoked_at ? "off" : ""}>
                <td>{row.name}</td>
                <td>{code(row.role)}{row.agency ? ` · ${row.agency}` : ""}</td>
                <td>{row.scopes?.join(", ")}</td>
                <td>{row.revoked_at ? `${say("ended")} ${day(row.revoked_at)}` : `${say("since")} ${day(row.created_at)}`}</td>
                <td class="acts">
                  {!row.revoked_at && (
                    <button class="danger" onClick={() => void act(`/v1/keys/${row.id}`, "DELETE")}>{say("end")}</button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section>
        <h2>{say("sessions")}</h2>
        <table>
          <tbody>
            {sessions.map((row) => (
              <tr key={row.id}>
                <td>{row.name}</td>
                <td>{code(row.role)}</td>
                <td>{say("since")} {moment(row.created_at)}</td>
                <td>{row.seen_at ? moment(row.seen_at) : ""}</td>
                <td class="acts">
                  {!row.mine && (
                    <button class="danger" onClick={() => void act(`/v1/sessions/${row.id}`, "DELETE")}>{say("end")}</button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </main>
  );
}

const ROLES = ["operator", "agency", "system", "security", "auditor"];

function AddPerson({ add }: { add: (body: unknown) => Promise<void> }) {
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const said = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
    await add({ ...said, name: said["name"] ?? said["login"] });
    form.reset();
  }
  return (
    <form class="add" onSubmit={(event) => void submit(event)}>
      <b>{say("add_person")}</b>
      <input name="login" required placeholder={say("login")} aria-label={say("login")} />
      <input name="name" placeholder={say("name")} aria-label={say("name")} />
      <select name="role" aria-label={say("role")}>
        {ROLES.map((role) => <option key={role} value={role}>{code(role)}</option>)}
      </select>
      <input name="agency" placeholder={say("agency")} aria-label={say("agency")} />
      <input name="password" type="password" autocomplete="new-password" required minLength={12}
        placeholder={say("password")} aria-label={say("password")} />
      <button class="main">{say("add")}</button>
    </form>
  );
}

function Trail() {
  const [entries, setEntries] = useState<Entry[]>([]);
  const [verdict, setVerdict] = useState<Verdict | null>(null);

  async function more(): Promise<void> {
    const last = entries.at(-1);
    const path = `/v1/audit?limit=100${last ? `&before=${last.seq}` : ""}`;
    const found = (await call<{ entries: Entry[] }>(path)).entries;
    setEntries([...entries, ...found]);
  }

  useEffect(() => {
    void more();
    void call<Verdict>("/v1/audit/verdict").then(setVerdict);
  }, []);

  return (
    <main class="sheets">
      <section>
        <h2>{say("trail")}</h2>
        {verdict && (
          <p class={verdict.holds ? "holds" : "problem"} role="status">
            {say(verdict.holds ? "trail_holds" : "trail_broken")} · {verdict.entries}
            {" "}<code>{verdict.head.slice(0, 16)}…</code> {verdict.reason}
          </p>
        )}
        <table>
          <tbody>
            {entries.map((row) => (
              <tr key={row.seq}>
                <td>{row.seq}</td>
                <td>{moment(row.at)}</td>
                <td>{row.actor}</td>
                <td>{row.action}</td>
                <td>{row.target}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {entries.length === 0 && <p class="empty">{say("nothing_yet")}</p>}
        {(entries.at(-1)?.seq ?? 1) > 1 && <button onClick={() => void more()}>{say("more")}</button>}
      </section>
    </main>
  );
}

function Outside() {
  const [system, setSystem] = useState<System | null>(null);
  useEffect(() => void call<System>("/v1/system").then(setSystem), []);
  return (
    <main class="sheets">
      <section>
        <h2>{say("outside")}</h2>
        <table>
          <tbody>
            {system?.outbound.map((row) => (
              <tr key={row.to} class={row.on ? "" : "off"}>
                <td>{row.to}</td>
                <td>{code(row.on ? "on" : "off")}</td>
                <td>{row.where}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {system && <small>Gridpatrol {system.version}</small>}
      </section>
    </main>
  );
}

function standing(row: Account): string {
  if (row.disabled_at) return `${say("disabled")} ${day(row.disabled_at)}`;
  if (row.locked_until && new Date(row.locked_until) > new Date()) return say("locked");
  return row.second_factor ? say("second_factor") : "";
}

function day(at: string): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: "medium" }).format(new Date(at));
}

function moment(at: string): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));
}
