// Silence with an owner and an end: what holds now, and a new one for everything or for one place.

import { useEffect, useState } from "preact/hooks";
import { call } from "./api";
import type { Incident, Mask, Mute } from "./model";
import { agencies, agencyName, hoursFromNow, me, timezone } from "./state";
import { ActForm, HowLong, Problem, useWork } from "./Working";
import { code, moment, named, say } from "./words";

const LONGEST_H = 168;

export function Mutes() {
  const [mutes, setMutes] = useState<Mute[]>([]);
  const [isOpen, setOpen] = useState(false);
  const work = useWork();
  const read = async () => setMutes((await call<{ mutes: Mute[] }>("/v1/mutes")).mutes);
  useEffect(() => void work.run(read), []);
  return (
    <section>
      <h3>{say("mutes")}</h3>
      <p class="hint">{say("mutes_help")}</p>
      <Problem work={work} />
      {mutes.length === 0 && <p class="empty">{say("no_mutes")}</p>}
      {mutes.map((mute) => (
        <div class="row" key={mute.id}>
          <strong>{mute.hazards.map(code).join(" · ")}</strong>
          <button onClick={() => void work.run(async () => { await call(`/v1/mutes/${mute.id}`, "DELETE"); await read(); })}>
            {say("end_now")}
          </button>
          <span>{mute.reason}</span>
          <small>
            {named(agencyName(mute.agency))} · {mute.owner} · {say("until")} {moment(mute.ends_at, timezone.value)} ·{" "}
            {mute.radius_m === null ? say("everywhere") : `${say("within")} ${mute.radius_m} m`}
          </small>
        </div>
      ))}
      {me.value?.role === "agency" && (isOpen
        ? <MuteForm done={() => { setOpen(false); void work.run(read); }} />
        : <button class="main" onClick={() => setOpen(true)}>{say("add_mute")}</button>)}
    </section>
  );
}

/** Ground that is known to be hot, as verdicts left it. */
export function Masks() {
  const [masks, setMasks] = useState<Mask[]>([]);
  const work = useWork();
  const read = async () => setMasks((await call<{ masks: Mask[] }>("/v1/masks")).masks);
  useEffect(() => void work.run(read), []);
  if (masks.length === 0) return <Problem work={work} />;
  return (
    <section>
      <h3>{say("masks")}</h3>
      <p class="hint">{say("masks_help")}</p>
      <Problem work={work} />
      {masks.map((mask) => (
        <div class="row" key={mask.id}>
          <strong>{mask.name}</strong>
          <button onClick={() => void work.run(async () => { await call(`/v1/masks/${mask.id}`, "DELETE"); await read(); })}>
            {say("end_now")}
          </button>
          <small>
            {mask.agency ? `${named(agencyName(mask.agency))} · ` : ""}{mask.owner} · {say("until")}{" "}
            {moment(mask.until_at, timezone.value)} · {say("within")} {mask.radius_m} m
          </small>
        </div>
      ))}
    </section>
  );
}

/** A new silence of one's agency; with an incident about its hazard, and around it where metres are given. */
export function MuteForm({ incident, done }: { incident?: Incident; done: () => void }) {
  const work = useWork();
  const own = agencies.value.get(me.value?.agency ?? "")?.hazards ?? [];
  const [hazards, setHazards] = useState<ReadonlySet<string>>(new Set(incident ? [incident.hazard] : []));
  function turn(hazard: string, isOn: boolean): void {
    setHazards(new Set(isOn ? [...hazards, hazard] : [...hazards].filter((known) => known !== hazard)));
  }
  async function send(filled: Record<string, string>): Promise<void> {
    const radius = filled["radius_m"] ? Number(filled["radius_m"]) : null;
    const place = radius && incident ? { lat_deg: incident.lat_deg, lon_deg: incident.lon_deg, radius_m: radius } : {};
    const ends_at = await hoursFromNow(Number(filled["hours"]));
    await call("/v1/mutes", "POST", { hazards: [...hazards], reason: filled["reason"], ends_at, ...place });
  }
  return (
    <>
      <Problem work={work} />
      <ActForm work={work} done={done} send={send}>
        <fieldset>
          <legend>{say("hazards")}</legend>
          {(incident ? [incident.hazard] : own).map((hazard) => (
            <label class="tick" key={hazard}>
              <input type="checkbox" checked={hazards.has(hazard)}
                onChange={(event) => turn(hazard, event.currentTarget.checked)} />
              {code(hazard)}
            </label>
          ))}
        </fieldset>
        {incident && (
          <label>{say("radius_m")}<input name="radius_m" type="number" min={10} max={5000} defaultValue="100" /></label>
        )}
        <HowLong name="hours" label={say("for_how_long")} most={LONGEST_H} />
        <label>{say("reason")}<input name="reason" required maxLength={500} /></label>
      </ActForm>
    </>
  );
}
