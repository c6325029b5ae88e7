// Who was told of an incident, and what the told agency can do about it: take in hand, put aside, release.

import { useState } from "preact/hooks";
import { call } from "./api";
import type { Alert, Incident } from "./model";
import { agencyName, alerts, hoursFromNow, keepAlert, me, readReleases, releases, timezone } from "./state";
import { MuteForm } from "./Mutes";
import { ActForm, HowLong, Problem, useWork } from "./Working";
import { clock, code, moment, named, say } from "./words";

type Form = "shelve" | "cancel" | "release" | "withdraw" | "mute";

export function ToldOf({ incident }: { incident: Incident }) {
  const told = [...alerts.value.values()].filter((alert) => alert.incident === incident.id);
  return (
    <section>
      <h3>{say("told")}</h3>
      {told.length === 0 && <p class="empty">{say("no_alerts")}</p>}
      {told.map((alert) => <Told key={alert.id} alert={alert} incident={incident} />)}
    </section>
  );
}

function Told({ alert, incident }: { alert: Alert; incident: Incident }) {
  const isMine = me.value?.role === "agency" && me.value.agency === alert.agency;
  return (
    <div class="told">
      <strong>{named(agencyName(alert.agency))}</strong>
      <span class={`state alert-${alert.state}`}>{code(alert.state)}</span>
      {alert.state === "shelved" && (
        <small>{say("shelved_until")} {moment(alert.shelved_until, timezone.value)}</small>
      )}
      {alert.deliveries.map((d, i) => (
        <small key={i} title={d.last_error ?? ""} class={d.state === "failed" ? "late" : ""}>
          {code(d.channel)}: {code(d.state)} {d.delivered_at ? clock(d.delivered_at, timezone.value) : ""}
          {d.attempts > 1 ? ` (${d.attempts} ${say("attempts")})` : ""}
        </small>
      ))}
      {isMine && <Acts alert={alert} incident={incident} />}
    </div>
  );
}

function Acts({ alert, incident }: { alert: Alert; incident: Incident }) {
  const [open, setOpen] = useState<Form | null>(null);
  const work = useWork();
  const released = releases.value.get(alert.incident);
  const isOver = alert.state === "cancelled";
  const act = async (name: string, body?: unknown) =>
    keepAlert(await call<Alert>(`/v1/alerts/${alert.id}/${name}`, "POST", body));
  const publish = async (name: "release" | "withdraw", person?: string) => {
    await call(`/v1/incidents/${alert.incident}/${name}`, "POST", person ? { person } : {});
    await readReleases();
  };
  const toggle = (form: Form) => setOpen(open === form ? null : form);
  const leave = () => setOpen(null);
  return (
    <div class="acts">
      {released && <p class="public">{say("released_by")} {released.released_by}</p>}
      <Problem work={work} />
      <div class="buttons">
        {!isOver && alert.state !== "acknowledged" && (
          <button class="main" disabled={work.isBusy} onClick={() => void work.run(() => act("acknowledge"))}>
            {say("acknowledge")}
          </button>
        )}
        {alert.state === "shelved" && (
          <button onClick={() => void work.run(() => act("unshelve"))}>{say("unshelve")}</button>
        )}
        {!isOver && <button aria-expanded={open === "shelve"} onClick={() => toggle("shelve")}>{say("shelve")}</button>}
        {!isOver && <button aria-expanded={open === "cancel"} onClick={() => toggle("cancel")}>{say("cancel_alert")}</button>}
        {!isOver && !released && (
          <button aria-expanded={open === "release"} onClick={() => toggle("release")}>{say("release")}</button>
        )}
        {released && (
          <button aria-expanded={open === "withdraw"} onClick={() => toggle("withdraw")}>{say("withdraw")}</button>
        )}
        <button aria-expanded={open === "mute"} onClick={() => toggle("mute")}>{say("mute_here")}</button>
        <a class="button" href={`/v1/alerts/${alert.id}/evidence.zip`} download>{say("evidence")}</a>
      </div>
      {open === "shelve" && (
        <ActForm work={work} done={leave}
          send={async ({ hours, note }) => act("shelve", { until_at: await hoursFromNow(Number(hours)), note })}>
          <HowLong name="hours" label={say("for_how_long")} most={12} />
          <Note />
        </ActForm>
      )}
      {open === "cancel" && (
        <ActForm work={work} done={leave} send={({ note }) => act("cancel", { note })}><Note isNeeded /></ActForm>
      )}
      {(open === "release" || open === "withdraw") && (
        <ActForm work={work} done={leave} send={({ person }) => publish(open, person)}>
          {open === "release" && <p class="hint">{say("release_help")}</p>}
          <label>{say("person")}<input name="person" required maxLength={100} defaultValue={me.value?.name} /></label>
        </ActForm>
      )}
      {open === "mute" && <MuteForm incident={incident} done={leave} />}
    </div>
  );
}

function Note({ isNeeded = false }: { isNeeded?: boolean }) {
  return <label>{say(isNeeded ? "reason" : "note")}<textarea name="note" rows={2} maxLength={2000} required={isNeeded} /></label>;
}
