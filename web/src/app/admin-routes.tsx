/** The admin's pages: one route and one chunk for each noun. */
import { type AnyRoute, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";

/** Which one of the noun is open; without it, their list. */
interface Search {
  id?: string;
}

function validateSearch(search: Record<string, unknown>): Search {
  return typeof search.id === "string" || typeof search.id === "number"
    ? { id: String(search.id) }
    : {};
}

export function adminRoutes<Parent extends AnyRoute>(house: Parent) {
  const admin = createRoute({
    getParentRoute: () => house,
    path: "/admin",
    component: lazyRouteComponent(() => import("@/pages/admin/admin"), "Admin"),
  });
  const start = createRoute({
    getParentRoute: () => admin,
    path: "/",
    beforeLoad: () => {
      throw redirect({ to: "/admin/schemes" as string });
    },
  });
  const page = <const Path extends string>(
    path: Path,
    component: ReturnType<typeof lazyRouteComponent>,
  ) => createRoute({ getParentRoute: () => admin, path, validateSearch, component });
  return admin.addChildren([
    start,
    page(
      "schemes",
      lazyRouteComponent(() => import("@/pages/admin/schemes/schemes"), "Schemes"),
    ),
    page(
      "numbers",
      lazyRouteComponent(() => import("@/pages/admin/numbers/numbers"), "Numbers"),
    ),
    page(
      "queues",
      lazyRouteComponent(() => import("@/pages/admin/queues/queues"), "Queues"),
    ),
    page(
      "hours",
      lazyRouteComponent(() => import("@/pages/admin/hours/hours"), "HoursPage"),
    ),
    page(
      "callbacks",
      lazyRouteComponent(() => import("@/pages/admin/callbacks/callbacks"), "Callbacks"),
    ),
    page(
      "trunks",
      lazyRouteComponent(() => import("@/pages/admin/trunks/trunks"), "Trunks"),
    ),
    page(
      "projects",
      lazyRouteComponent(() => import("@/pages/admin/projects/projects"), "Projects"),
    ),
    page(
      "agents",
      lazyRouteComponent(() => import("@/pages/admin/agents/agents"), "Agents"),
    ),
    page(
      "groups",
      lazyRouteComponent(() => import("@/pages/admin/groups/groups"), "Groups"),
    ),
    page(
      "phones",
      lazyRouteComponent(() => import("@/pages/admin/phones/phones"), "Phones"),
    ),
    page(
      "review",
      lazyRouteComponent(() => import("@/pages/admin/review/review"), "Review"),
    ),
    page(
      "versions",
      lazyRouteComponent(() => import("@/pages/admin/versions/versions"), "Versions"),
    ),
    page(
      "text",
      lazyRouteComponent(() => import("@/pages/admin/text/text"), "PlanTextPage"),
    ),
    page(
      "users",
      lazyRouteComponent(() => import("@/pages/admin/users/users"), "Users"),
    ),
    page(
      "keys",
      lazyRouteComponent(() => import("@/pages/admin/keys/keys"), "Keys"),
    ),
    page(
      "audit",
      lazyRouteComponent(() => import("@/pages/admin/audit/audit"), "Audit"),
    ),
  ]);
}
