import type { RefObject, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { AppState } from "../../bridge/protocol.ts";
import { useController } from "../state/hooks.ts";
import { isEnrollmentLink, readAddress } from "./enrollment-link.ts";

type Props = Readonly<{ app: AppState; isConnecting: boolean }>;

/** Asks for the relay's address and an enrollment code. A link pasted into either field fills both. */
export const ConnectForm = ({ app, isConnecting }: Props): VNode => {
  const { connection, fixedAddress } = app;
  const { signOut } = useController();
  const form = useConnecting(app);
  const isBusy = isConnecting || form.isAsking;
  const wantsCode = connection.kind === "signed_out" && connection.wantsCode;
  const codeField = useRef<HTMLInputElement>(null);

  useEffect(() => {
    (wantsCode || fixedAddress !== null ? codeField : form.addressField).current?.focus();
  }, [wantsCode, fixedAddress]);

  return (
    <form
      class="connect-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) {
          void form.submit();
        }
      }}
    >
      <AddressField form={form} isFixed={fixedAddress !== null} isBusy={isBusy} />
      <label class="field">
        <span>
          Enrollment code{" "}
          {!wantsCode && <span class="optional">only if the operator gave you one</span>}
        </span>
        <input
          ref={codeField}
          value={form.code}
          readOnly={isBusy}
          maxLength={2048}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          data-testid="code"
          onInput={(event) => form.writeCode(event.currentTarget.value)}
        />
      </label>
      {form.fault !== null && (
        <p class="form-fault" role="alert" id="connect-fault" data-testid="connect-fault">
          {form.fault}
        </p>
      )}
      <ConnectButton isBusy={isBusy} />
      {isConnecting && (
        <button
          type="button"
          class="quiet wide"
          data-testid="cancel"
          onClick={() => void signOut()}
        >
          Cancel
        </button>
      )}
    </form>
  );
};

type AddressProps = Readonly<{ form: Connecting; isFixed: boolean; isBusy: boolean }>;

const AddressField = ({ form, isFixed, isBusy }: AddressProps) => (
  <>
    <label class="field">
      <span>Relay address</span>
      <input
        ref={form.addressField}
        type="url"
        value={form.address}
        placeholder="https://relay.example.com"
        readOnly={isFixed || isBusy}
        aria-invalid={form.fault !== null}
        aria-describedby={form.fault === null ? "address-hint" : "connect-fault"}
        autocomplete="off"
        spellcheck={false}
        data-testid="address"
        onInput={(event) => form.writeAddress(event.currentTarget.value)}
      />
    </label>
    <p class="hint" id="address-hint">
      {isFixed
        ? "This computer’s environment names the relay, so it cannot be changed here."
        : "An address, or the whole link that the operator gave you."}
    </p>
  </>
);

const ConnectButton = ({ isBusy }: Readonly<{ isBusy: boolean }>) => (
  <button type="submit" class="primary wide" disabled={isBusy} data-testid="connect">
    {isBusy ? (
      <>
        <span class="spinner" aria-hidden="true" /> Connecting…
      </>
    ) : (
      "Connect"
    )}
  </button>
);

type Connecting = Readonly<{
  address: string;
  code: string;
  /** Why it cannot be connected with. */
  fault: string | null;
  isAsking: boolean;
  addressField: RefObject<HTMLInputElement | null>;
  writeAddress(text: string): void;
  writeCode(text: string): void;
  submit(): Promise<void>;
}>;

const useConnecting = ({ connection, fixedAddress }: AppState): Connecting => {
  const { connect } = useController();
  const known = connection.kind === "unconfigured" ? "" : connection.relayUrl;
  const [address, setAddress] = useState(fixedAddress ?? known);
  const [code, setCode] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(false);
  const addressField = useRef<HTMLInputElement>(null);

  const write = (text: string, setText: (text: string) => void) => {
    setFault(null);
    if (!isEnrollmentLink(text)) {
      setText(text);
      return;
    }
    const link = readAddress(text);
    setCode(link.code ?? "");
    setAddress(fixedAddress ?? link.address);
  };

  const submit = async () => {
    const given = readAddress(address).address;
    setAsking(true);
    const why = given === "" ? "Enter the relay’s address." : await connect(given, code.trim());
    setAsking(false);
    setFault(why);
    if (why !== null) {
      // The button lost the focus while it could not be pressed.
      addressField.current?.focus();
    }
  };

  return {
    ...{ address, code, fault, isAsking, addressField, submit },
    writeAddress: (text) => write(text, setAddress),
    writeCode: (text) => write(text, setCode),
  };
};
