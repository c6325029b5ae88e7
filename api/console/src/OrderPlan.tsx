// Who leads the work and by when it is due, as the people of the order's agency change it.

import { useState } from "preact/hooks";
import { call } from "./api";
import type { Order } from "./model";
import { agencyName, hoursFromNow, me, orders, readOrders, timezone } from "./state";
import { ActForm, HowLong, Problem, useWork } from "./Working";
import { asField, fromField, named, say } from "./words";

interface Props {
  order: Order;
  change: (where: string, method: string, body: unknown) => Promise<boolean>;
}

export function OrderPlan({ order, change }: Props) {
  const [open, setOpen] = useState<"due" | "lead" | "mask" | null>(null);
  const work = useWork();
  const isDone = ["closed", "rated"].includes(order.state);
  const others = [...new Set([...orders.value.values()]
    .filter((row) => row.incident === order.incident && row.agency !== order.agency)
    .map((row) => row.agency))];
  const mayHandOn = order.lead === me.value?.agency && others.length > 0;
  const isHeat = ["permitted", "industrial_heat"].includes(order.verdict ?? "");
  const leave = () => setOpen(null);

  async function setDue({ respond_by, resolve_by }: Record<string, string>): Promise<void> {
    const wish: Record<string, string> = {};
    if (respond_by) wish["respond_by"] = fromField(respond_by, timezone.value);
    if (resolve_by) wish["resolve_by"] = fromField(resolve_by, timezone.value);
    await change("", "PATCH", wish);
  }

  async function handOn({ agency }: Record<string, string>): Promise<void> {
    await call(`/v1/incidents/${order.incident}/lead`, "PUT", { agency });
    await readOrders();
  }

  async function mask(filled: Record<string, string>): Promise<void> {
    const ends_at = await hoursFromNow(Number(filled["hours"]));
    const wish = { name: filled["name"], radius_m: Number(filled["radius_m"]), ends_at };
    await call(`/v1/orders/${order.id}/mask`, "POST", wish);
  }

  return (
    <>
      <div class="buttons">
        {isDone && isHeat && (
          <button aria-expanded={open === "mask"} onClick={() => setOpen(open === "mask" ? null : "mask")}>{say("mask_ground")}</button>
        )}
        {!isDone && (
          <button aria-expanded={open === "due"} onClick={() => setOpen(open === "due" ? null : "due")}>{say("change_due")}</button>
        )}
        {mayHandOn && (
          <button aria-expanded={open === "lead"} onClick={() => setOpen(open === "lead" ? null : "lead")}>{say("hand_on_lead")}</button>
        )}
      </div>
      <Problem work={work} />
      {open === "mask" && (
        <ActForm work={work} done={leave} send={mask}>
          <p class="hint">{say("masks_help")}</p>
          <label>{say("mask_name")}<input name="name" required maxLength={200} /></label>
          <label>{say("around_m")}<input name="radius_m" type="number" min={5} max={500} required defaultValue="60" /></label>
          <HowLong name="hours" label={say("for_how_long")} most={order.verdict === "permitted" ? 719 : 8760} />
        </ActForm>
      )}
      {open === "due" && (
        <ActForm work={work} done={leave} send={setDue}>
          <label>
            {say("be_there_by")}
            <input name="respond_by" type="datetime-local" required defaultValue={asField(order.respond_by, timezone.value)} />
          </label>
          <label>
            {say("resolve_by")}
            <input name="resolve_by" type="datetime-local" required defaultValue={asField(order.resolve_by, timezone.value)} />
          </label>
          <p class="hint">{say("due_help")}</p>
        </ActForm>
      )}
      {open === "lead" && (
        <ActForm work={work} done={leave} send={handOn}>
          <label>
            {say("hand_on_to")}
            <select name="agency" required>
              {others.map((id) => <option key={id} value={id}>{named(agencyName(id))}</option>)}
            </select>
          </label>
        </ActForm>
      )}
    </>
  );
}
