// What was told and what was not: uncertain finds, silences, what was sent and what must be sent again.

import { useEffect, useState } from "preact/hooks";
import { call } from "./api";
import type { Message, Receiver, Review } from "./model";
import { Masks, Mutes } from "./Mutes";
import { agencyName, chosen, incidents, me, timezone } from "./state";
import { Problem, useWork } from "./Working";
import { code, moment, named, say } from "./words";

const STATES = ["", "pending", "delivered", "failed"];

export function Telling() {
  return (
    <>
      <Reviews />
      <Mutes />
      <Masks />
      <Receivers />
      <Log />
    </>
  );
}

function Reviews() {
  const [rows, setRows] = useState<Review[]>([]);
  const work = useWork();
  const read = async () => setRows((await call<{ reviews: Review[] }>("/v1/review")).reviews);
  useEffect(() => void work.run(read), []);
  const settle = (row: Review, how: "raise" | "dismiss") => work.run(async () => {
    const path = `/v1/review/${row.incident.id}/${how}?agency=${encodeURIComponent(row.agency)}`;
    await call(path, "POST", how === "dismiss" ? { note: say("dismiss") } : undefined);
    await read();
  });
  return (
    <section>
      <h3>{say("review")}</h3>
      <p class="hint">{say("review_help")}</p>
      <Problem work={work} />
      {rows.length === 0 && <p class="empty">{say("no_review")}</p>}
      {rows.map((row) => (
        <div class={`row ${row.incident.severity}`} key={`${row.agency} ${row.incident.id}`}>
          <strong>{code(row.incident.hazard)}</strong>
          <time>{moment(row.decided_at, timezone.value)}</time>
          <span>{named(row.incident.place_name)}</span>
          <small>{Math.round(row.incident.confidence * 100)} %</small>
          <div class="buttons">
            {incidents.value.has(row.incident.id) && (
              <button onClick={() => { chosen.value = { kind: "incident", id: row.incident.id }; }}>{say("to_incident")}</button>
            )}
            <button class="main" onClick={() => void settle(row, "raise")}>{say("raise")}</button>
            <button onClick={() => void settle(row, "dismiss")}>{say("dismiss")}</button>
          </div>
        </div>
      ))}
    </section>
  );
}

function Receivers() {
  const [rows, setRows] = useState<Receiver[]>([]);
  const work = useWork();
  const read = async () => setRows((await call<{ receivers: Receiver[] }>("/v1/receivers")).receivers);
  useEffect(() => void work.run(read), []);
  return (
    <section>
      <h3>{say("receivers")}</h3>
      <Problem work={work} />
      {rows.length === 0 && <p class="empty">{say("no_receivers")}</p>}
      {rows.map((row) => (
        <div class="row" key={row.id}>
          <strong>{code(row.channel)}</strong>
          {row.disabled_at && (
            <button onClick={() => void work.run(async () => { await call(`/v1/receivers/${row.id}/enable`, "POST"); await read(); })}>
              {say("enable")}
            </button>
          )}
          <span class="address">{row.address}</span>
          <small class={row.disabled_at ? "late" : ""}>
            {me.value?.role === "operator" ? `${named(agencyName(row.agency))} · ` : ""}
            {row.disabled_at ? `${say("is_stopped")}: ${row.disabled_reason ?? ""}` : say("live")}
          </small>
        </div>
      ))}
    </section>
  );
}

function Log() {
  const [rows, setRows] = useState<Message[]>([]);
  const [state, setState] = useState("");
  const [hasMore, setMore] = useState(false);
  const work = useWork();

  async function read(before?: number): Promise<void> {
    const asked = new URLSearchParams({ limit: "50", ...(state && { state }), ...(before && { before: String(before) }) });
    const found = (await call<{ deliveries: Message[] }>(`/v1/deliveries?${asked}`)).deliveries;
    setRows(before ? [...rows, ...found] : found);
    setMore(found.length === 50);
  }

  useEffect(() => void work.run(() => read()), [state]);
  const again = (row: Message) => work.run(async () => {
    await call(`/v1/deliveries/${row.id}/replay`, "POST");
    await read();
  });
  return (
    <section>
      <h3>{say("delivery_log")}</h3>
      <div class="filter" role="group">
        {STATES.map((name) => (
          <button key={name} aria-pressed={state === name} onClick={() => setState(name)}>
            {name ? code(name) : say("all")}
          </button>
        ))}
      </div>
      <Problem work={work} />
      {rows.length === 0 && <p class="empty">{say("no_deliveries")}</p>}
      {rows.map((row) => (
        <div class="row" key={row.id}>
          <strong>{code(row.channel)}</strong>
          <span class={`state ${row.state}`}>{code(row.state)}</span>
          <small>
            {me.value?.role === "operator" ? `${named(agencyName(row.agency))} · ` : ""}
            {moment(row.created_at, timezone.value)} · {row.attempts} {say("attempts")}
          </small>
          {row.last_error && <small class="late">{row.last_error}</small>}
          {row.state === "failed" && (
            <div class="buttons"><button class="main" onClick={() => void again(row)}>{say("send_again")}</button></div>
          )}
        </div>
      ))}
      {hasMore && <button onClick={() => void work.run(() => read(rows.at(-1)?.cursor))}>{say("more")}</button>}
    </section>
  );
}
