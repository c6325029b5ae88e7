// How places looked before, version by version, and a person's word that a newer flight shows how one looks now.

import { useEffect, useState } from "preact/hooks";
import { call } from "./api";
import type { Baseline } from "./model";
import { me, timezone } from "./state";
import { ActForm, Problem, useWork } from "./Working";
import { code, moment, say } from "./words";

export function Baselines() {
  const [rows, setRows] = useState<Baseline[] | null>(null);
  const work = useWork();
  const read = async () => setRows(await versions());
  useEffect(() => void work.run(read), []);
  return (
    <>
      <p class="hint">{say("baselines_help")}</p>
      <Problem work={work} />
      {rows?.length === 0 && <p class="empty">{say("no_baselines")}</p>}
      {rows?.map((row) => <One key={row.id} row={row} read={read} />)}
    </>
  );
}

function One({ row, read }: { row: Baseline; read: () => Promise<void> }) {
  const [isOpen, setOpen] = useState(false);
  const work = useWork();
  const { place, version, standing } = row;
  const confirmed = async (filled: Record<string, string>) => {
    await call(`/v1/baselines/${place}/${version}/confirm`, "POST", { person: filled.person });
    await read();
  };
  return (
    <div class="row">
      <strong>{place} · {version}</strong>
      <span class={`state ${standing}`}>{code(standing)}</span>
      <small>
        {moment(row.at, timezone.value)} · {say("frames")} {row.registered}/{row.frames}
        {row.confirmed_by && ` · ${say("confirmed_by")} ${row.confirmed_by}`}
      </small>
      <div class="buttons">
        <a class="button" href={`/v1/baselines/${place}/${version}/orthophoto.tif`} download>{say("orthophoto")}</a>
        {standing !== "stands" && (
          <button class={standing === "candidate" ? "main" : ""} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {say(standing === "candidate" ? "confirm_baseline" : "confirm_again")}
          </button>
        )}
      </div>
      {isOpen && (
        <div class="wide">
          <Problem work={work} />
          <ActForm work={work} done={() => setOpen(false)} send={confirmed}>
            <p class="hint">{say("confirm_help")}</p>
            <label>{say("confirmer")}<input name="person" required maxLength={200} defaultValue={me.value?.name} /></label>
          </ActForm>
        </div>
      )}
    </div>
  );
}

/** Reads the versions kept, page by page; what else the collection lists are single frames. */
async function versions(): Promise<Baseline[]> {
  const found: Baseline[] = [];
  let next: string | undefined = "/stac/collections/baselines/items?limit=100";
  while (next) {
    const page: GeoJSON.FeatureCollection & { links: { rel: string; href: string }[] } = await call(next);
    const kept = page.features.filter((item) => item.properties?.["gridpatrol:standing"]);
    found.push(...kept.map(fromItem));
    const after: string | undefined = page.links.find((link) => link.rel === "next")?.href;
    // Versions come first: a page that is not full of them is the last that has any.
    next = after && kept.length === page.features.length ? after : undefined;
  }
  return found;
}

function fromItem(item: GeoJSON.Feature): Baseline {
  const told = item.properties ?? {};
  const of = (name: string) => told[`gridpatrol:${name}`];
  return {
    id: String(item.id), place: of("place"), version: of("version"), standing: of("standing"), at: told.datetime,
    frames: of("frames"), registered: of("registered"), confirmed_by: of("confirmed_by"),
  };
}
