// What the operator can do about a sortie: hold it, let it go on, home, elsewhere or down with it, fly its rest.

import { useState } from "preact/hooks";
import { call, Refused } from "./api";
import type { Sortie } from "./model";
import { docks } from "./state";
import { ActForm, Problem, useWork } from "./Working";
import { named, say } from "./words";

const UP = ["door_open", "uploading", "verified", "armed", "flying", "returning", "paused"];

/** Tells a sortie's gateway what to do; throws its words where it refuses. */
export async function ordered(sortie: string, verb: string, body?: unknown): Promise<void> {
  const answer = await call<{ accepted: boolean; reason: string | null }>(`/v1/sorties/${sortie}/${verb}`, "POST", body);
  if (!answer.accepted) throw new Refused(200, `${say("refused_by_gateway")} ${answer.reason ?? ""}`);
}

export function Steering({ sortie }: { sortie: Sortie }) {
  const [open, setOpen] = useState<"divert" | "abort" | null>(null);
  const work = useWork();
  const order = (verb: string, body?: unknown) => ordered(sortie.id, verb, body);
  const button = (verb: "pause" | "resume") => (
    <button disabled={work.isBusy} onClick={() => void work.run(() => order(verb))}>{say(verb)}</button>
  );
  const isCut = ["done", "failed"].includes(sortie.state) && sortie.shots.files < sortie.shots.planned;
  if (!UP.includes(sortie.state) && !isCut) return null;
  return (
    <>
      <Problem work={work} />
      <div class="buttons">
        {isCut ? (
          <button class="main" disabled={work.isBusy} onClick={() => void work.run(() => order("rest"))}>{say("fly_rest")}</button>
        ) : (
          <>
            {button("pause")}
            {button("resume")}
            <button class="danger" onClick={() => { if (confirm(say("recall_sure"))) void work.run(() => order("recall")); }}>
              {say("recall")}
            </button>
            <button aria-expanded={open === "divert"} onClick={() => setOpen(open === "divert" ? null : "divert")}>{say("divert")}</button>
            <button class="danger" aria-expanded={open === "abort"} onClick={() => setOpen(open === "abort" ? null : "abort")}>
              {say("abort")}
            </button>
          </>
        )}
      </div>
      {open === "divert" && (
        <ActForm work={work} done={() => setOpen(null)} send={(filled) => order("divert", filled)}>
          <label>
            {say("divert_to")}
            <select name="to" required>
              {[...docks.value.values()].filter((dock) => dock.id !== sortie.dock).map((dock) => (
                <option key={dock.id} value={dock.id}>{named(dock.name)}</option>
              ))}
            </select>
          </label>
          <label>{say("reason")}<input name="reason" maxLength={500} /></label>
        </ActForm>
      )}
      {open === "abort" && (
        <ActForm work={work} done={() => setOpen(null)} send={(filled) => order("abort", filled)}>
          <p class="hint">{say("abort_help")}</p>
          <label>{say("reason")}<input name="reason" required maxLength={500} /></label>
        </ActForm>
      )}
    </>
  );
}
