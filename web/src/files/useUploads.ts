import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { useT } from "@/i18n";
import { UploadError, upload } from "./upload";

/** A file on its way, there, or refused. */
export interface Upload {
  /** What it is called here; names of members change while somebody types. */
  id: string;
  /** The member of the input that it becomes. */
  field: string;
  name: string;
  size: number;
  /** Bytes that are on their way. */
  sent: number;
  /** Under which id runs find it, once it is there. */
  artifactId?: string;
  /** Why it is not there, in words. */
  refused?: string;
}

/** Whether a file has no name of its own in the input, which has these members anyway. */
export function clashes({ id, field }: Upload, uploads: readonly Upload[], taken: readonly string[]): boolean {
  return field === "" || taken.includes(field) || uploads.some((one) => one.id !== id && one.field === field);
}

/** Whether all of them can be given: what is still on its way would be missing, and what clashes would be refused. */
export function canBeGiven(uploads: readonly Upload[], taken: readonly string[]): boolean {
  return uploads.every((one) => one.artifactId !== undefined && !clashes(one, uploads, taken));
}

/** Those that are there, as the start of a run names them. */
export function given(uploads: readonly Upload[]): { field: string; artifactId: string }[] {
  return uploads.flatMap(({ field, artifactId }) => (artifactId === undefined ? [] : [{ field, artifactId }]));
}

/** Files that are sent to a project, to become members of an input; what is not finished ends with the page. */
export function useUploads(project: string) {
  const t = useT();
  const client = useClient();
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const running = useRef(new Map<string, AbortController>());
  useEffect(() => {
    const all = running.current;
    return () => {
      for (const one of all.values()) one.abort();
    };
  }, []);

  const remove = useCallback((id: string) => {
    running.current.get(id)?.abort();
    running.current.delete(id);
    setUploads((before) => before.filter((one) => one.id !== id));
  }, []);

  const rename = useCallback((id: string, field: string) => {
    setUploads((before) => before.map((one) => (one.id === id ? { ...one, field } : one)));
  }, []);

  const send = useCallback(
    async (id: string, field: string, file: File) => {
      remove(id);
      const stop = new AbortController();
      running.current.set(id, stop);
      const change = (changes: Partial<Upload>) => {
        // What was canceled is gone already, and something else may be in its place.
        if (running.current.get(id) !== stop) return;
        setUploads((before) => before.map((one) => (one.id === id ? { ...one, ...changes } : one)));
      };
      setUploads((before) => [...before, { id, field, name: file.name, size: file.size, sent: 0 }]);
      try {
        const onProgress = (sent: number) => change({ sent });
        const artifactId = await upload(client, { file, project, signal: stop.signal, onProgress });
        change({ artifactId, sent: file.size });
      } catch (error) {
        if (stop.signal.aborted) return;
        const why = error instanceof UploadError ? error.message : String(error);
        change({ refused: why || t("error.unreachable") });
      }
    },
    [client, project, remove, t],
  );

  return { uploads, send, remove, rename };
}
