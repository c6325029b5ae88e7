// Who leads the work and by when it is due, as the people of the order's agency change it.

import { useState } from "preact/hooks";
import { call } from "./api";
import type { Order } from "./model";
import { agencyName, me, orders, readOrders, timezone } from "./state";
import { ActForm, Problem, useWork } from "./Working";
import { asField, fromField, named, say } from "./words";

interface Props {
  order: Order;
  change: (where: string, method: string, body: unknown) => Promise<boolean>;
}

export function OrderPlan({ order, change }: Props) {
  const [open, setOpen] = useState<"due" | "lead" | null>(null);
  const work = useWork();
  const isDone = ["closed", "rated"].includes(order.state);
  const others = [...new Set([...orders.value.values()]
    .filter((row) => row.incident === order.incident && row.agency !== order.agency)
    .map((row) => row.agency))];
  const mayHandOn = order.lead === me.value?.agency && others.length > 0;
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

  return (
    <>
      <div class="buttons">
        {!isDone && (
          <button aria-expanded={open === "due"} onClick={() => setOpen(open === "due" ? null : "due")}>{say("change_due")}</button>
        )}
        {mayHandOn && (
          <button aria-expanded={open === "lead"} onClick={() => setOpen(open === "lead" ? null : "lead")}>{say("hand_on_lead")}</button>
        )}
      </div>
      <Problem work={work} />
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
