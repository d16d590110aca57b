import { type ReactNode, useEffect } from "react";

/** The screen's heading, which is the tab's title too. */
export const Heading = ({
  title,
  note,
  children,
}: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly children?: ReactNode;
}) => {
  useEffect(() => {
    document.title = `${title} · DeepLens Tenants`;
  }, [title]);
  return (
    <header className="row spread">
      <div className="stack-tight">
        <h1 tabIndex={-1}>{title}</h1>
        {note !== undefined && <div className="row soft">{note}</div>}
      </div>
      {children !== undefined && <div className="row">{children}</div>}
    </header>
  );
};
