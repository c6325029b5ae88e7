// The camera of a flying sortie on something that moves: what it follows and until when, begin, and stop.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Incident, Sortie } from "./model";
import { incidents, lastAt, sorties, timezone } from "./state";
import { ordered } from "./Steering";
import { ActForm, Problem, useWork } from "./Working";
import { clock, code, named, say } from "./words";

const MOVES = ["person", "intrusion", "wildlife", "logging"];
const SECONDS = [30, 60, 120, 300];

/** What a flying sortie's camera is on, and what the operator can have it follow instead of its list. */
export function Following({ sortie }: { sortie: Sortie }) {
  const [isOpen, setOpen] = useState(false);
  const work = useWork();
  if (sortie.state !== "flying") return null;
  const held = sortie.follows;
  const isOver = held?.until_at && lastAt.value && Date.parse(held.until_at) < Date.parse(lastAt.value);
  if (held && !isOver) {
    return (
      <section class="follows">
        <p role="status">
          <b>{say("follows")} {held.kind ? code(held.kind) : say("a_place")}</b> {say("until")} {clock(held.until_at, timezone.value)}
        </p>
        <Problem work={work} />
        <button disabled={work.isBusy} onClick={() => void work.run(() => ordered(sortie.id, "unfollow"))}>{say("unfollow")}</button>
      </section>
    );
  }
  const seen = [...incidents.value.values()].filter((row) => row.state !== "closed").sort(movingFirst);
  return (
    <section>
      <button disabled={seen.length === 0} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{say("follow")}</button>
      {isOpen && (
        <FollowForm done={() => setOpen(false)} sortie={sortie.id}>
          <label>
            {say("follow_what")}
            <select name="incident" required>
              {seen.map((row) => (
                <option key={row.id} value={row.id}>
                  {code(row.hazard)} · {named(row.place_name)} · {clock(row.seen_at, timezone.value)}
                </option>
              ))}
            </select>
          </label>
        </FollowForm>
      )}
    </section>
  );
}

/** The same from the side of what was seen: which of the drones in the air is to keep its camera on it. */
export function FollowIncident({ incident }: { incident: Incident }) {
  const [isOpen, setOpen] = useState(false);
  const flying = [...sorties.value.values()].filter((row) => row.state === "flying");
  if (incident.state === "closed" || flying.length === 0) return null;
  return (
    <section>
      <button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{say("follow_this")}</button>
      {isOpen && (
        <FollowForm done={() => setOpen(false)} incident={incident.id}>
          <label>
            {say("drone")}
            <select name="sortie" required>
              {flying.map((row) => <option key={row.id} value={row.id}>{row.drone ?? row.dock} · {row.id}</option>)}
            </select>
          </label>
        </FollowForm>
      )}
    </section>
  );
}

interface Props {
  done: () => void;
  sortie?: string;
  incident?: string;
  children: ComponentChildren;
}

function FollowForm({ done, sortie, incident, children }: Props) {
  const work = useWork();
  const send = (filled: Record<string, string>) => ordered(sortie ?? filled.sortie ?? "", "follow", {
    incident: incident ?? filled.incident, seconds: Number(filled.seconds), ...(filled.reason && { reason: filled.reason }),
  });
  return (
    <>
      <Problem work={work} />
      <ActForm work={work} done={done} send={send}>
        <p class="hint">{say("follow_help")}</p>
        {children}
        <label>
          {say("for_how_long")}
          <select name="seconds">
            {SECONDS.map((s) => <option key={s} value={s} selected={s === 120}>{s} s</option>)}
          </select>
        </label>
        <label>{say("reason")}<input name="reason" maxLength={500} /></label>
      </ActForm>
    </>
  );
}

function movingFirst(a: Incident, b: Incident): number {
  const still = (row: Incident) => Number(!MOVES.includes(row.hazard));
  return still(a) - still(b) || b.seen_at.localeCompare(a.seen_at);
}
