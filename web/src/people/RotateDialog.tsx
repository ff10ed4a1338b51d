import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { useRefusal } from "@/api/refusal";
import { useT } from "@/i18n";
import { Alert } from "@/ui/Alert";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Select } from "@/ui/Field";
import { type ApiKey, RotateApiKeyMutation } from "./queries";

const OVERLAPS = ["0s", "1h", "24h", "168h"] as const;

interface Props {
  apiKey: ApiKey;
  onMade: (secret: string) => void;
  onClose: () => void;
}

/** Makes a key that takes another one's place; for a while both work. */
export function RotateDialog({ apiKey, onMade, onClose }: Props) {
  const t = useT();
  const [overlap, setOverlap] = useState<string>("24h");
  const [{ fetching }, rotate] = useMutation(RotateApiKeyMutation);
  const refusal = useRefusal("overlap");
  const go = async (event: FormEvent) => {
    event.preventDefault();
    const answer = await rotate({ input: { keyId: apiKey.id, overlap } });
    if (refusal.settle(answer)) onMade(answer.data?.rotateApiKey.secret ?? "");
  };
  return (
    <Dialog title={t("keys.rotateOne", { name: apiKey.name })} onClose={onClose}>
      <form className="flex flex-col gap-4" onSubmit={(event) => void go(event)}>
        <p>{t("keys.rotate.help")}</p>
        <Select
          label={t("keys.overlap")}
          value={overlap}
          error={refusal.at("overlap")}
          options={OVERLAPS.map((one) => [one, t(`keys.overlap.${one}`)] as const)}
          onChange={setOverlap}
        />
        <Alert text={refusal.rest} />
        <Button type="submit" look="primary" disabled={fetching}>
          {t("keys.rotate.go")}
        </Button>
      </form>
    </Dialog>
  );
}
