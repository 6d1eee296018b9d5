/** Where each page is. Pages are loaded when they are first opened. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { closeFeed, openFeed } from "@/live/live";
import { adminRoutes } from "./admin-routes";
import { Broken, Loading, NotFound } from "./outcomes";
import { visible } from "./sections";
import { useSession, whoAmI } from "./session";
import { Shell } from "./shell";

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    ownAddress(search.to) ? { to: search.to } : {},
  component: lazyRouteComponent(() => import("@/pages/sign-in/sign-in"), "SignIn"),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("@/pages/setup/setup"), "Setup"),
});

/** A screen on the wall: no menu, and nobody signs in; its link is the key. */
const tv = createRoute({
  getParentRoute: () => root,
  path: "/tv",
  component: lazyRouteComponent(() => import("@/pages/board/tv"), "Tv"),
});

/** Everything behind the door: asks once who is there. */
const house = createRoute({
  getParentRoute: () => root,
  id: "house",
  component: Shell,
  beforeLoad: async ({ location }) => {
    const me = useSession.getState().me ?? (await whoAmI());
    if (me === null) {
      closeFeed();
      throw redirect({ to: "/sign-in", search: { to: location.href } });
    }
    if (me.must_change_password && location.pathname !== "/account") {
      throw redirect({ to: "/account" });
    }
    openFeed();
  },
});

const start = createRoute({
  getParentRoute: () => house,
  path: "/",
  beforeLoad: () => {
    const first = visible(useSession.getState().me)[0];
    throw redirect({ to: first?.to ?? "/account" });
  },
});

const desk = createRoute({
  getParentRoute: () => house,
  path: "/desk",
  component: lazyRouteComponent(() => import("@/pages/desk/desk"), "Desk"),
});
const board = createRoute({
  getParentRoute: () => house,
  path: "/board",
  component: lazyRouteComponent(() => import("@/pages/board/board"), "BoardPage"),
});
const missed = createRoute({
  getParentRoute: () => house,
  path: "/missed",
  component: lazyRouteComponent(() => import("@/pages/missed/missed"), "Missed"),
});
const calls = createRoute({
  getParentRoute: () => house,
  path: "/calls",
  component: lazyRouteComponent(() => import("@/pages/calls/calls"), "Calls"),
});
export const call = createRoute({
  getParentRoute: () => house,
  path: "/calls/$call",
  component: lazyRouteComponent(() => import("@/pages/call/call"), "CallPage"),
});
const admin = adminRoutes(house);
const account = createRoute({
  getParentRoute: () => house,
  path: "/account",
  component: lazyRouteComponent(() => import("@/pages/account/account"), "Account"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    setup,
    tv,
    house.addChildren([start, desk, board, missed, calls, call, admin, account]),
  ]),
  defaultPreload: "intent",
  defaultPendingComponent: Loading,
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

/** An address of ours to return to; never another site's. */
function ownAddress(to: unknown): to is string {
  return typeof to === "string" && /^\/(?!\/)[^\\]*$/.test(to);
}
