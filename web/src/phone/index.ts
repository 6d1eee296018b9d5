export * from "./fake";
export * from "./phone";
export * from "./sip";
