import { lazy } from "react";
import { createBrowserRouter, Navigate } from "react-router";
import { Broken, NotFound } from "./app/Broken";
import { Shell } from "./app/Shell";
import { useSession } from "./app/session";
import { RunsPage } from "./pages/RunsPage";
import { WorkflowsPage } from "./pages/WorkflowsPage";

const BuilderPage = lazy(() => import("./pages/BuilderPage"));
const ConnectionsPage = lazy(() => import("./pages/ConnectionsPage"));
const ConsentPage = lazy(() => import("./pages/ConsentPage"));
const AccessPage = lazy(() => import("./pages/AccessPage"));
const AuditPage = lazy(() => import("./pages/AuditPage"));
const KeysPage = lazy(() => import("./pages/KeysPage"));
const RolesPage = lazy(() => import("./pages/RolesPage"));
const InvitePage = lazy(() => import("./pages/InvitePage"));
const MembersPage = lazy(() => import("./pages/MembersPage"));
const SettingsPage = lazy(() => import("./pages/SettingsPage"));
const FirstSection = lazy(() => import("./pages/SettingsPage").then((page) => ({ default: page.FirstSection })));
const VariablesPage = lazy(() => import("./pages/VariablesPage"));
const VersionsPage = lazy(() => import("./pages/VersionsPage"));
const TriggersPage = lazy(() => import("./pages/TriggersPage"));
const RunPage = lazy(() => import("./pages/RunPage"));

/** Where one begins: with an invitation that led here, else with the workflows. */
function Home() {
  const invitation = useSession((session) => session.invitation);
  return <Navigate to={invitation === null ? "/workflows" : "/invitation"} replace />;
}

/** Every page has an address of its own that can be opened, reloaded and sent to somebody. */
export const router = createBrowserRouter([
  {
    element: <Shell />,
    errorElement: <Broken />,
    children: [
      { index: true, element: <Home /> },
      { path: "sign-in", element: <Home /> },
      { path: "workflows", element: <WorkflowsPage /> },
      { path: "workflows/:project/:name", element: <BuilderPage /> },
      { path: "workflows/:project/:name/versions", element: <VersionsPage /> },
      { path: "workflows/:project/:name/triggers", element: <TriggersPage /> },
      { path: "runs", element: <RunsPage /> },
      { path: "runs/:id", element: <RunPage /> },
      { path: "connections", element: <ConnectionsPage /> },
      { path: "oauth/callback", element: <ConsentPage /> },
      { path: "variables", element: <VariablesPage /> },
      { path: "invitation", element: <InvitePage /> },
      {
        path: "settings",
        element: <SettingsPage />,
        children: [
          { index: true, element: <FirstSection /> },
          { path: "members", element: <MembersPage /> },
          { path: "roles", element: <RolesPage /> },
          { path: "access", element: <AccessPage /> },
          { path: "keys", element: <KeysPage /> },
          { path: "audit", element: <AuditPage /> },
          { path: "*", element: <NotFound /> },
        ],
      },
      { path: "*", element: <NotFound /> },
    ],
  },
]);
