/** The one account that the simulator has. */

/** The only account there is. Data Pipeline's samples use this number as @accountId. */
export const ACCOUNT_ID = '924374875933';
