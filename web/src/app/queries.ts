import { QueryClient } from "@tanstack/react-query";
import { problem } from "@/api/client";
import { useSession } from "./session";

const TRIES = 2;

/** Lists are asked anew when the live board says so; a refusal is not asked twice. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => {
        const said = problem(error);
        if (said?.code === "unauthorised") useSession.setState({ me: null });
        return said === null && failures < TRIES;
      },
    },
  },
});
