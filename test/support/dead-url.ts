/**
 * An address where nobody listens, and to which no client has had a connection. Its port is too low to be given to a server of
 * another test that asks for any, and none of those to which `fetch` refuses to connect.
 */
export const deadUrl = 'http://127.0.0.1:2'
