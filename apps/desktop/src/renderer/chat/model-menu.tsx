import type { VNode } from "preact";
import type { ModelChoice } from "../../bridge/protocol.ts";
import { Icon } from "../shell/icon.tsx";
import { useController } from "../state/hooks.ts";

type Props = Readonly<{
  /** Null: the relay has not told. */
  models: readonly ModelChoice[] | null;
  chosen: string | null;
  isBusy: boolean;
}>;

/** Which model answers next: only what the relay allows this device. */
export const ModelMenu = ({ models, chosen, isBusy }: Props): VNode => {
  const { chooseModel } = useController();
  const isKnown = chosen === null || (models ?? []).some(({ id }) => id === chosen);
  return (
    <label class="select model-menu">
      <span class="off-screen">Model</span>
      <select
        data-testid="model-menu"
        value={chosen ?? ""}
        disabled={isBusy || models === null || models.length === 0}
        title={isBusy ? "The model can be changed when the answer is complete" : "Model"}
        onChange={(event) => void chooseModel(event.currentTarget.value)}
      >
        {chosen === null && (
          <option value="">{models === null ? "Models…" : "No model allowed"}</option>
        )}
        {!isKnown && (
          <option value={chosen} disabled>
            {models === null ? chosen : `${chosen} (not allowed)`}
          </option>
        )}
        {(models ?? []).map(({ id, displayName }) => (
          <option key={id} value={id}>
            {displayName}
          </option>
        ))}
      </select>
      <Icon name="chevron" />
    </label>
  );
};
