/** What a developer sees first. */
export function welcome(url: string): string {
  return `
  Sluice is ready at ${url}

  1. Open it in two browser windows, register, and chat.
  2. Or from a shell:
       curl -s ${url}/api/register -H 'content-type: application/json' \\
         -d '{"username":"ada","password":"correct horse battery"}'
       curl -s ${url}/api/login -d username=ada -d 'password=correct horse battery'
  3. Then open a WebSocket with the token: ${url.replace("http", "ws")}/?token=<token>

`;
}
