// What every button that changes something shares: one try at a time, and a sentence where it is refused.

import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { refused, say } from "./words";

export interface Work {
  problem: string | null;
  isBusy: boolean;
  run: (task: () => Promise<unknown>) => Promise<boolean>;
}

/** Runs what a button asks for; false and a sentence where the service says no. */
export function useWork(): Work {
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  async function run(task: () => Promise<unknown>): Promise<boolean> {
    setBusy(true);
    try {
      await task();
      setProblem(null);
      return true;
    } catch (error) {
      setProblem(refused(error));
      return false;
    } finally {
      setBusy(false);
    }
  }
  return { problem, isBusy, run };
}

export function Problem({ work }: { work: Work }) {
  return work.problem ? <p class="problem" role="alert">{work.problem}</p> : null;
}

interface Props {
  work: Work;
  send: (filled: Record<string, string>) => Promise<unknown>;
  done: () => void;
  children: ComponentChildren;
}

/** A small form that opens under a button: it closes when the service took what it says. */
export function ActForm({ work, send, done, children }: Props) {
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const filled = [...form].filter((pair): pair is [string, string] => typeof pair[1] === "string" && pair[1] !== "");
    if (await work.run(() => send(Object.fromEntries(filled)))) done();
  }
  return (
    <form class="act" onSubmit={(event) => void submit(event)}>
      {children}
      <div class="buttons">
        <button class="main" disabled={work.isBusy}>{say("do_it")}</button>
        <button type="button" onClick={done}>{say("leave")}</button>
      </div>
    </form>
  );
}

const LENGTHS = { hour_1: 1, hour_4: 4, hour_12: 12, hour_24: 24, day_3: 72, day_7: 168, day_30: 720, year_1: 8760 } as const;

/** A choice of how long from now; its value is hours. */
export function HowLong({ name, label, most }: { name: string; label: string; most: number }) {
  return (
    <label>
      {label}
      <select name={name} required>
        {Object.entries(LENGTHS).filter(([, hours]) => hours <= most).map(([word, hours]) => (
          <option key={word} value={hours}>{say(word as keyof typeof LENGTHS)}</option>
        ))}
      </select>
    </label>
  );
}
