// What an act on an order needs to know before it is sent: who goes, what it was, why, how well.

import { useState } from "preact/hooks";
import type { Order, OrderAct } from "./model";
import { code, say } from "./words";

/** The acts of people; "verify" is the drone's. */
export const PERSONS_ACTS: ReadonlySet<OrderAct> = new Set(["dispatch", "arrive", "resolve", "close", "rate", "reopen"]);

const VERDICTS = [
  "forest_fire", "farm_burning", "permitted", "industrial_heat", "confirmed", "false", "not_found",
];
const RATINGS = [5, 4, 3, 2, 1];

interface Props {
  act: OrderAct;
  order: Order;
  send: (wish: Record<string, unknown>) => Promise<void>;
  leave: () => void;
}

export function OrderForm({ act, order, send, leave }: Props) {
  const [isBusy, setBusy] = useState(false);
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const filled = [...new FormData(event.currentTarget as HTMLFormElement)].filter(([, value]) => value !== "");
    const wish: Record<string, unknown> = Object.fromEntries(filled);
    if ("rating" in wish) wish["rating"] = Number(wish["rating"]);
    setBusy(true);
    await send(wish);
    setBusy(false);
  }
  const asksWhy = act === "reopen" || (act === "close" && order.look === "impossible");
  return (
    <form class="act" onSubmit={(event) => void submit(event)}>
      {act === "dispatch" && (
        <label>
          {say("assignee")}
          <input name="assignee" required maxLength={200} defaultValue={order.assignee ?? ""} />
        </label>
      )}
      {(act === "resolve" || act === "close") && (
        <label>
          {say("verdict")}
          <select name="verdict" required={act === "resolve"} defaultValue={order.verdict ?? ""}>
            <option value="">{say("choose")}</option>
            {VERDICTS.map((word) => (
              <option key={word} value={word} selected={word === order.verdict}>{code(`verdict_${word}`)}</option>
            ))}
          </select>
        </label>
      )}
      {act === "rate" && (
        <label>
          {say("rating")}
          <select name="rating" required>
            {RATINGS.map((stars) => <option key={stars} value={stars}>{"★".repeat(stars)} {stars}</option>)}
          </select>
        </label>
      )}
      <label>
        {say(act === "close" || act === "reopen" ? "reason" : "note")}
        <textarea name="note" rows={2} maxLength={2000} required={asksWhy} />
      </label>
      <div class="buttons">
        <button class="main" disabled={isBusy}>{say("do_it")}</button>
        <button type="button" onClick={leave}>{say("leave")}</button>
      </div>
    </form>
  );
}
