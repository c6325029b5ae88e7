// The list beside the map: what was found, who was told, what is flying.

import { useEffect, useState } from "preact/hooks";
import { ToldOf } from "./AlertActs";
import { call } from "./api";
import { Baselines } from "./Baselines";
import { FollowIncident, Following } from "./Following";
import type { Incident, IncidentWhole, Names, Sortie } from "./model";
import { OrderDetail, Orders, OrdersOf } from "./Orders";
import { agencyName, chosen, docks, drones, ground, incidents, me, orders, sorties, timezone } from "./state";
import { Steering } from "./Steering";
import { Telling } from "./Telling";
import { area, clock, code, named, say } from "./words";

type Tab = "incidents" | "orders" | "flights" | "docks" | "baselines" | "telling";

const TAB_OF: Record<"incident" | "order" | "sortie", Tab> = { incident: "incidents", order: "orders", sortie: "flights" };

const byTime = (a: string | null, b: string | null) => (b ?? "").localeCompare(a ?? "");

export function Side() {
  const [tab, setTab] = useState<Tab>("incidents");
  const isOperator = me.value?.role === "operator";
  const tabs: Tab[] = [
    "incidents", "orders",
    ...(isOperator ? ["flights", "docks"] as const : []),
    ...(me.value?.may_confirm ? ["baselines"] as const : []),
    "telling",
  ];
  const counts: Partial<Record<Tab, number>> = {
    incidents: incidents.value.size, orders: orders.value.size, flights: sorties.value.size, docks: docks.value.size,
  };
  const pick = chosen.value;
  useEffect(() => { if (pick) setTab(TAB_OF[pick.kind]); }, [pick]);
  return (
    <aside>
      <nav role="tablist">
        {tabs.map((name) => (
          <button key={name} role="tab" aria-selected={tab === name}
            onClick={() => { setTab(name); chosen.value = null; }}>
            {say(name)} {counts[name] !== undefined && <b>{counts[name]}</b>}
          </button>
        ))}
      </nav>
      <div class="list">
        {pick?.kind === "incident" && incidents.value.has(pick.id)
          ? <IncidentDetail incident={incidents.value.get(pick.id)!} />
          : pick?.kind === "sortie" && sorties.value.has(pick.id)
            ? <SortieDetail sortie={sorties.value.get(pick.id)!} />
            : pick?.kind === "order" && orders.value.has(pick.id)
              ? <OrderDetail key={pick.id} order={orders.value.get(pick.id)!} />
              : <List tab={tab} />}
      </div>
    </aside>
  );
}

function List({ tab }: { tab: Tab }) {
  switch (tab) {
    case "incidents": return <Incidents />;
    case "orders": return <Orders />;
    case "flights": return <Flights />;
    case "docks": return <Docks />;
    case "baselines": return <Baselines />;
    case "telling": return <Telling />;
  }
}

function Incidents() {
  const rows = [...incidents.value.values()].sort((a, b) => byTime(a.opened_at, b.opened_at));
  if (!rows.length) return <p class="empty">{say("no_incidents")}</p>;
  return (
    <>
      {rows.map((row) => (
        <button key={row.id} class={`row ${row.severity}`}
          onClick={() => { chosen.value = { kind: "incident", id: row.id }; }}>
          <strong>{code(row.hazard)}</strong>
          <time>{clock(row.opened_at, timezone.value)}</time>
          <span>{named(row.place_name)}</span>
          <Facts incident={row} />
        </button>
      ))}
    </>
  );
}

const looks = (incident: Incident) =>
  `${incident.looks} ${say(incident.looks === 1 ? "one_look" : "looks")}`;

function Facts({ incident }: { incident: Incident }) {
  const facts = [
    incident.temp_max_c === null ? null : `${say("hottest")} ${Math.round(incident.temp_max_c)} °C`,
    incident.area_m2 === null ? null : area(incident.area_m2),
    `± ${Math.round(incident.ellipse.major_m)} m`,
    looks(incident),
  ];
  return <small>{facts.filter(Boolean).join(" · ")}</small>;
}

/** Whose word an incident rests on, what became of it, and what the place looked like before. */
function Witnesses({ incident }: { incident: Incident }) {
  return (
    <section>
      <h3>{say("witnesses")} · {code(incident.standing ?? "")}</h3>
      {incident.standing_reason && <p>{named(incident.standing_reason)}</p>}
      {incident.note && <p>{named(incident.note)}</p>}
      {incident.sources.map((s) => (
        <div class="told" key={`${s.witness} ${s.source}`}>
          <strong>{code(s.witness)}</strong>
          <span>{s.source}</span>
          <small>{s.count} × · {Math.round(s.confidence * 100)} % · {clock(s.last_at, timezone.value)}</small>
        </div>
      ))}
      {incident.standing === "unconfirmed" && incident.state !== "closed" && (
        <button class="main" onClick={() => void call(`/v1/incidents/${incident.id}/looks`, "POST")}>
          {say("ask_look")}
        </button>
      )}
    </section>
  );
}

/** What its looks say besides in sentences, how it spreads, on the map what they outlined: asked again when seen again. */
function Said({ incident }: { incident: Incident }) {
  const [spreads, setSpreads] = useState<Names | null>(null);
  useEffect(() => {
    let isShown = true;
    call<IncidentWhole>(`/v1/incidents/${incident.id}`)
      .then((whole) => {
        if (!isShown) return;
        setSpreads(whole.growth?.text ?? null);
        ground.value = whole.ground;
      })
      .catch(() => undefined);
    return () => {
      isShown = false;
      ground.value = null;
    };
  }, [incident.id, incident.looks]);
  return (
    <>
      {incident.said.map((one, i) => <p key={i}>{named(one)}</p>)}
      {spreads && <p>{say("spread")}{named(spreads)}</p>}
    </>
  );
}

function IncidentDetail({ incident }: { incident: Incident }) {
  const place = `${incident.lat_deg.toFixed(6)}, ${incident.lon_deg.toFixed(6)}`;
  return (
    <article>
      <button onClick={() => { chosen.value = null; }}>← {say("back")}</button>
      <h2 class={incident.severity}>{code(incident.hazard)}</h2>
      <p class="place">{named(incident.place_name)}</p>
      <p class="coordinates">
        {place} <button onClick={() => void navigator.clipboard?.writeText(place)}>{say("copy_place")}</button>
      </p>
      <Picture frame={incident.frame} />
      <dl>
        {incident.temp_max_c !== null && (
          <><dt>{say("hottest")}</dt><dd>{Math.round(incident.temp_max_c)} °C</dd></>
        )}
        {incident.area_m2 !== null && <><dt>{say("area")}</dt><dd>{area(incident.area_m2)}</dd></>}
        <dt>{say("place_error")}</dt>
        <dd>± {incident.ellipse.major_m.toFixed(0)} m (95 %)</dd>
        <dt>{say("confidence")}</dt>
        <dd>{Math.round(incident.confidence * 100)} % · {looks(incident)}</dd>
        <dt>{say("first_seen")}</dt>
        <dd>{clock(incident.opened_at, timezone.value)}</dd>
        <dt>{say("last_seen")}</dt>
        <dd>{clock(incident.seen_at, timezone.value)}</dd>
      </dl>
      <Said incident={incident} />
      {incident.standing && <Witnesses incident={incident} />}
      {me.value?.role === "operator" && <FollowIncident incident={incident} />}
      <OrdersOf incident={incident} />
      <ToldOf incident={incident} />
    </article>
  );
}

function Picture({ frame }: { frame: string | null }) {
  const [missing, setMissing] = useState<string | null>(null);
  if (!frame || missing === frame) return <p class="empty">{say("no_picture")}</p>;
  return (
    <>
      <a href={`/v1/frames/${frame}/marked.jpg`} target="_blank" rel="noreferrer">
        <img src={`/v1/frames/${frame}/marked.jpg`} alt={say("picture")} onError={() => setMissing(frame)} />
      </a>
      <small>
        <a href={`/v1/frames/${frame}/picture?as_flown=true`} target="_blank" rel="noreferrer">{say("picture_as_flown")}</a>
      </small>
    </>
  );
}

function Flights() {
  const rows = [...sorties.value.values()].sort(
    (a, b) => byTime(a.started_at, b.started_at) || a.id.localeCompare(b.id));
  if (!rows.length) return <p class="empty">{say("no_sorties")}</p>;
  return (
    <>
      {rows.map((row) => (
        <button key={row.id} class="row" onClick={() => { chosen.value = { kind: "sortie", id: row.id }; }}>
          <strong>{row.id.split("-").pop()} · {row.drone ?? row.dock}</strong>
          <span class={`state ${row.state}`}>{code(row.state)}</span>
          <span>{row.agencies.map((id) => named(agencyName(id))).join(" + ")}</span>
          <small>
            {say("pictures")} {row.shots.taken}/{row.shots.planned} · {Math.round(row.flight_s / 60)} {say("minutes")}
          </small>
        </button>
      ))}
    </>
  );
}

function SortieDetail({ sortie }: { sortie: Sortie }) {
  return (
    <article>
      <button onClick={() => { chosen.value = null; }}>← {say("back")}</button>
      <h2>{sortie.id}</h2>
      <p>{say("serves")}: {sortie.agencies.map((id) => named(agencyName(id))).join(" + ")}</p>
      <Steering sortie={sortie} />
      <Following sortie={sortie} />
      <dl>
        <dt>{say("drone")}</dt><dd>{sortie.drone ?? "–"}</dd>
        <dt>{say("dock")}</dt><dd>{named(docks.value.get(sortie.dock)?.name) || sortie.dock}</dd>
        <dt>{say("pictures")}</dt>
        <dd>{sortie.shots.taken}/{sortie.shots.planned} · {sortie.shots.files} {say("files")}</dd>
      </dl>
      <h3>{say("steps")}</h3>
      <ol class="steps">
        {sortie.steps.map((step, i) => (
          <li key={i}><time>{clock(step.at, timezone.value)}</time> <b>{code(step.state)}</b> {step.evidence}</li>
        ))}
      </ol>
    </article>
  );
}

function Docks() {
  return (
    <>
      {[...docks.value.values()].map((dock) => (
        <div class="row" key={dock.id}>
          <strong>{named(dock.name)}</strong>
          <span>{say("door")}: {code(dock.door)} · {say("charger")}: {code(dock.charger)}</span>
          {[...drones.value.values()].filter((d) => d.dock === dock.id).map((d) => (
            <small key={d.id}>
              {d.id} · {code(d.state)} · {say("battery")}{" "}
              {d.battery_percent === null ? "–" : `${Math.round(d.battery_percent)} %`}
              {d.above_home_m !== null && d.state === "flying"
                ? ` · ${Math.round(d.above_home_m)} m ${say("height")} · ${(d.speed_m_s ?? 0).toFixed(0)} m/s` : ""}
            </small>
          ))}
        </div>
      ))}
    </>
  );
}
